import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { testWorkflow } from '../fixtures/catalogue.ts'
import {
  copyRun,
  echo,
  ended,
  eventTypes,
  gate,
  type OpenRig,
  plain,
  record,
  type SuiteSteps,
  submit,
  until,
  untilAborted,
  waiting,
} from './rig.ts'

export function testRecovery(open: OpenRig): void {
  test('a run that was committed and told to nobody is taken up while the engine runs', async () => {
    const rig = await open({ steps: plain })
    const first = await submit(rig, 'sequence', 7)
    const { definition } = await ended(rig, first)
    const created = (await rig.store.events.ofRun(first))[0]
    if (created?.type !== 'run.created') throw new Error('a run begins with run.created')
    // The log has what the first run was created with.
    const event = { type: 'run.created', timeMs: Date.now(), data: created.data } as NewRunEvent
    expect((await ended(rig, await copyRun(rig, [event], definition))).result).toEqual([7, 7, 7])
  })

  test('a submission is answered although the run could not be taken up at once', async () => {
    const rig = await open({ steps: plain })
    const { get } = rig.store.definitions
    rig.store.definitions.get = () => Promise.reject(new Error('cut off'))
    const runId = await submit(rig, 'sequence', 7)
    rig.store.definitions.get = get
    expect((await ended(rig, runId)).result).toEqual([7, 7, 7])
  })

  test('a store that fails while the engine starts keeps no run from going on', async () => {
    const rig = await open({ steps: { ...plain, First: async (_input, { signal }) => untilAborted(signal) } })
    const runId = await submit(rig, 'sequence', 7)
    await until(
      () => eventTypes(rig, runId),
      (types) => types.includes('step.started'),
    )
    const { unfinished } = rig.store.runs
    rig.store.runs.unfinished = () => {
      rig.store.runs.unfinished = unfinished
      return Promise.reject(new Error('cut off'))
    }
    await rig.restart({ steps: plain })
    expect((await ended(rig, runId)).result).toEqual([7, 7, 7])
  })

  test('an attempt cut off by the end of the engine begins again under its number', async () => {
    const attempts: number[] = []
    const began = gate()
    const hanging: StepFunction = async (_input, { attempt, signal }) => {
      attempts.push(attempt)
      began.open()
      return untilAborted(signal)
    }
    const rig = await open({ steps: { ...plain, Second: hanging } })
    const runId = await submit(rig, 'sequence', 7)
    await began.opened
    const Second: StepFunction = async (input, { attempt }) => {
      attempts.push(attempt)
      return input
    }
    await rig.restart({ steps: { ...plain, Second } })
    expect((await ended(rig, runId)).result).toEqual([7, 7, 7])
    expect(attempts).toEqual([1, 1])
    expect(await eventTypes(rig, runId)).not.toContain('step.failed')
  })

  test('the wait before the next attempt goes on over a restart', async () => {
    const failing: StepFunction = async () => {
      throw new Error('not yet')
    }
    const rig = await open({ steps: { ...plain, Second: failing } })
    const runId = await submit(rig, 'sequence', 7)
    await until(
      () => eventTypes(rig, runId),
      (types) => types.includes('step.failed'),
    )
    expect((await rig.engine.why(runId)).waits_for).toMatchObject([{ kind: 'retry', name: 'Second' }])
    const attempts: number[] = []
    const Second: StepFunction = async (input, { attempt }) => {
      attempts.push(attempt)
      return input
    }
    await rig.restart({ steps: { ...plain, Second } })
    expect((await ended(rig, runId)).status).toBe('completed')
    expect(attempts).toEqual([2])
  })

  test('a run keeps its definition over a deploy', async () => {
    const [began, go] = [gate(), gate()]
    const Second: StepFunction = async (input, { signal }) => {
      began.open()
      await Promise.race([go.opened, untilAborted(signal)])
      return input
    }
    const rig = await open({ steps: { ...plain, Second }, workflows: [testWorkflow('sequence')] })
    const older = await submit(rig, 'sequence', 7)
    await began.opened
    go.open()
    await rig.restart({ steps: { ...plain, Second }, workflows: [testWorkflow('sequence', 'reordered')] })
    const newer = await submit(rig, 'sequence', 7)
    expect((await ended(rig, older)).result).toEqual([7, 7, 7])
    expect((await ended(rig, newer)).result).toEqual([7, 7])
    expect((await record(rig, older)).definition).not.toBe((await record(rig, newer)).definition)
  })

  test('a step that nobody here does waits until somebody does', async () => {
    const { First, Third, CleanUp } = plain
    const steps: SuiteSteps = { First: First ?? echo, Third: Third ?? echo, CleanUp: CleanUp ?? echo }
    const rig = await open({ steps })
    const runId = await submit(rig, 'sequence', 7)
    await waiting(rig, runId, 'worker_missing')
    expect((await rig.engine.why(runId)).waits_for).toMatchObject([{ kind: 'worker_missing' }])
    await rig.restart({ steps: plain })
    expect((await ended(rig, runId)).result).toEqual([7, 7, 7])
  })

  test('a large result is kept beside the log and comes back after a restart', async () => {
    const large = 'x'.repeat(200_000)
    const began = gate()
    const hanging: StepFunction = async (_input, { signal }) => {
      began.open()
      return untilAborted(signal)
    }
    const rig = await open({ steps: { ...plain, First: async () => large, Second: hanging } })
    const runId = await submit(rig, 'sequence')
    await began.opened
    const completed = await until(
      async () => (await rig.store.events.ofRun(runId)).find(({ type }) => type === 'step.completed'),
      (event) => event !== undefined,
    )
    expect(completed?.data.output).toEqual({ $blob: expect.any(String), bytes: 200_002 })
    const Second: StepFunction = async (input: Json) => String(input).length
    await rig.restart({ steps: { ...plain, Second, Third: async () => null } })
    expect((await ended(rig, runId)).result).toEqual([large, 200_000, null])
  })

  test('a result above 1 MB fails its step without another try', async () => {
    const rig = await open({ steps: { ...plain, First: async () => 'x'.repeat(1_100_000) } })
    expect(await ended(rig, await submit(rig, 'retrying'))).toMatchObject({
      status: 'failed',
      error: { code: 'payload_too_large' },
    })
  })

  test('a run with a result above 1 MB is blocked, and says why', async () => {
    const rig = await open({ steps: { ...plain, First: async () => 'x'.repeat(400_000) } })
    const run = await waiting(rig, await submit(rig, 'sequence'), 'blocked')
    expect(run.reason_detail).toContain('The result is larger than 1 MB.')
  })

  test('draining lets a running step end and starts no other', async () => {
    const [began, go] = [gate(), gate()]
    const First: StepFunction = async () => {
      began.open()
      await go.opened
      return 'ended in time'
    }
    let seconds = 0
    const Second: StepFunction = async () => {
      seconds += 1
      return null
    }
    const rig = await open({ steps: { ...plain, First, Second } })
    const runId = await submit(rig, 'sequence')
    await began.opened
    const drained = rig.engine.drain(5000)
    go.open()
    await drained
    expect(seconds).toBe(0)
    expect(await eventTypes(rig, runId)).toContain('step.completed')
    await rig.restart()
    expect((await ended(rig, runId)).status).toBe('completed')
    expect(seconds).toBe(1)
  })

  test('an engine that is told to stop twice ends, also with a step that does not listen', async () => {
    const began = gate()
    const First: StepFunction = () => {
      began.arrive()
      return new Promise(() => {})
    }
    const rig = await open({ steps: { ...plain, First } })
    await submit(rig, 'sequence', 'in')
    await began.came
    await Promise.all([rig.engine.drain(0), rig.restart()])
  })

  test('draining cuts a step off after its grace, which is no failed attempt', async () => {
    const began = gate()
    const hanging: StepFunction = async (_input, { signal }) => {
      began.open()
      return untilAborted(signal)
    }
    const rig = await open({ steps: { ...plain, First: hanging } })
    const runId = await submit(rig, 'sequence', 1)
    await began.opened
    await rig.engine.drain(30)
    expect(await eventTypes(rig, runId)).not.toContain('step.failed')
    await rig.restart({ steps: plain })
    expect((await ended(rig, runId)).status).toBe('completed')
  })
}
