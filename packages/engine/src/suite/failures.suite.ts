import { setTimeout as delay } from 'node:timers/promises'
import { StepError } from '@kyros/workflows/step-error'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { ended, eventTypes, type OpenRig, owner, plain, submit, until, untilAborted, waiting } from './rig.ts'

export function testFailures(open: OpenRig): void {
  test('a step that fails is tried again and its result counts', async () => {
    const First: StepFunction = async (_input, { attempt }) => {
      if (attempt < 3) throw new Error(`attempt ${attempt}`)
      return attempt
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'retrying')
    expect((await ended(rig, runId)).result).toBe(3)
    const failed = (await rig.store.events.ofRun(runId)).filter((event) => event.type === 'step.failed')
    expect(failed.map((event) => event.data.attempt)).toEqual([1, 2])
    for (const event of failed) expect(event.data.retry_at).toBeTypeOf('string')
  })

  test('the last failed attempt of a step fails the run', async () => {
    const First: StepFunction = async () => {
      throw new StepError('disk_full', 'No space. Free some.', { retryable: true })
    }
    const rig = await open({ steps: { ...plain, First } })
    const run = await ended(rig, await submit(rig, 'retrying'))
    expect(run).toMatchObject({
      status: 'failed',
      reason: 'step_failed',
      error: { code: 'disk_full', message: 'No space. Free some.' },
    })
  })

  test.each([
    ['the error says so', new StepError('input_odd', 'no', { retryable: false })],
    ['its code is listed', new StepError('input_bad', 'no', { retryable: true })],
  ])('a step is not tried again when %s', async (_name, error) => {
    let calls = 0
    const First: StepFunction = async () => {
      calls += 1
      throw error
    }
    const rig = await open({ steps: { ...plain, First } })
    expect((await ended(rig, await submit(rig, 'retrying'))).status).toBe('failed')
    expect(calls).toBe(1)
  })

  test('a definition catches the failure of a step', async () => {
    const First: StepFunction = async () => {
      throw new StepError('nothing_there', 'not found', { retryable: true })
    }
    const rig = await open({ steps: { ...plain, First } })
    const run = await ended(rig, await submit(rig, 'catching'))
    expect(run).toMatchObject({
      status: 'completed',
      result: { step: 'First', code: 'nothing_there', message: 'not found', attempts: 2 },
    })
  })

  test('an attempt that takes too long fails, also when it ignores its signal', async () => {
    const First: StepFunction = () => new Promise(() => {})
    const rig = await open({ steps: { ...plain, First } })
    const run = await ended(rig, await submit(rig, 'timed'))
    expect(run).toMatchObject({ status: 'failed', error: { code: 'step_timed_out' } })
  })

  test('an attempt that gives no sign of life fails', async () => {
    const First: StepFunction = async (_input, { signal }) => untilAborted(signal)
    const rig = await open({ steps: { ...plain, First } })
    const run = await ended(rig, await submit(rig, 'beating'))
    expect(run).toMatchObject({ status: 'failed', error: { code: 'step_heartbeat_timed_out' } })
  })

  test('an attempt that gives signs of life may take longer', async () => {
    const First: StepFunction = async (_input, { heartbeat }) => {
      for (let beat = 0; beat < 10; beat++) {
        await delay(20)
        heartbeat({ beat })
      }
      return 'alive'
    }
    const rig = await open({ steps: { ...plain, First } })
    expect((await ended(rig, await submit(rig, 'beating'))).result).toBe('alive')
  })

  test('a definition fails its run on purpose', async () => {
    const rig = await open({ steps: plain })
    const run = await ended(rig, await submit(rig, 'refusing'))
    expect(run).toMatchObject({
      status: 'failed',
      reason: 'workflow_failed',
      error: { code: 'order_refused' },
    })
  })

  test('a bug in a definition blocks its run and does not lose it', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'buggy', 1)
    const run = await waiting(rig, runId, 'blocked')
    expect(run.reason_detail).toContain('nothing here is a function')
    const why = await rig.engine.why(runId)
    expect(why.waits_for).toMatchObject([{ kind: 'blocked' }])
    await rig.engine.cancel(runId, 'not needed', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
  })

  test('a run that nothing can move is blocked and says so', async () => {
    const rig = await open({ steps: plain })
    const run = await waiting(rig, await submit(rig, 'stuck'), 'blocked')
    expect(run.reason_detail).toContain('nothing can move it')
  })

  test('an error that a definition forgets to handle is a warning in its log', async () => {
    const First: StepFunction = async () => {
      throw new StepError('odd', 'it broke', { retryable: false })
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'careless')
    expect((await ended(rig, runId)).result).toBe('done')
    const lines = await until(
      () => rig.store.logs.list(runId, { after: 0, limit: 10 }),
      (found) => found.length > 0,
    )
    expect(lines[0]).toMatchObject({ level: 'warn', message: expect.stringContaining('it broke') })
  })

  test.each([
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['a BigInt', 10n],
    ['undefined in an array', [undefined]],
    ['a class instance', new (class Odd {})()],
    ['a number that is none', Number.NaN],
  ])('a step that returns %s fails without another try', async (_name, output) => {
    const rig = await open({ steps: { ...plain, First: async () => output } })
    const runId = await submit(rig, 'retrying')
    expect(await ended(rig, runId)).toMatchObject({ status: 'failed', error: { code: 'payload_not_json' } })
    expect((await eventTypes(rig, runId)).filter((type) => type === 'step.started')).toHaveLength(1)
  })

  test.each([
    ['not_json_input', 'Map'],
    ['keyed', 'used twice'],
    ['long', 'timer'],
  ])('the definition %s is blocked for what it asks', async (workflow, says) => {
    const rig = await open({ steps: plain })
    const run = await waiting(rig, await submit(rig, workflow), 'blocked')
    expect(run.reason_detail).toContain(says)
  })
}
