import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { StepError } from '@kyros/workflows/step-error'
import { expect, test } from 'vitest'
import { prepareDefinitions } from '../definitions/definitions.ts'
import type { StepFunction } from '../embedded/attempt.ts'
import { asNewEvent } from '../embedded/history.ts'
import { askingWorkflow, askingWorkflows as workflows } from '../fixtures/catalogue.ts'
import {
  copyRun,
  type EngineRig,
  ended,
  eventTypes,
  gate,
  type OpenRig,
  owner,
  plain,
  submit,
  until,
  untilAborted,
  waiting,
} from './rig.ts'

/** The step of `looping` with which its results are more than a part may hold. */
const lastOfPart = 12

export function testStructure(open: OpenRig): void {
  test('a scope whose time is over stops its step, and the run goes on', async () => {
    const stopped = gate()
    let isUp = false
    const First: StepFunction = async (input, { signal }) =>
      isUp ? untilAborted(signal).finally(() => stopped.open()) : input
    const rig = await open({ steps: { ...plain, First }, workflows })
    // A worker that just started may take longer than the scope over the first step of all.
    await ended(rig, await submit(rig, 'hurried', { timeoutMs: 60_000 }))
    isUp = true
    const runId = await submit(rig, 'hurried', { timeoutMs: 300 })
    expect((await ended(rig, runId)).result).toBe('too slow')
    await stopped.opened
    expect(await eventTypes(rig, runId)).toContain('step.cancelled')
  })

  test('a scope that ends in time leaves no timer behind', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await submit(rig, 'hurried', { timeoutMs: 60_000 })
    expect((await ended(rig, runId)).result).toBe('slow')
    expect(await eventTypes(rig, runId)).toContain('timer.cancelled')
  })

  test.each<[string, number, StepFunction]>([
    ['hangs', 5, async (_input, { signal }) => untilAborted(signal)],
    ['fails again and again', 5, () => Promise.reject(new Error('not yet'))],
    ['would be tried again too late', 60_000, () => Promise.reject(new Error('not yet'))],
  ])('a step that %s ends when its time in all is over', async (_name, retryMs, First) => {
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'limited', { retryMs })
    expect((await ended(rig, runId)).status).toBe('failed')
    const failed = (await rig.store.events.ofRun(runId)).findLast(({ type }) => type === 'step.failed')
    expect(failed?.data.retry_at).toBeUndefined()
  })

  test('a step has the priority of its job', async () => {
    const order: Json[] = []
    const [began, busy] = [gate(), gate()]
    const First: StepFunction = async (input) => {
      if (input === 'first') {
        began.open()
        await busy.opened
      }
      order.push(input as Json)
      return input
    }
    const rig = await open({ steps: { ...plain, First }, workflows, maxAttempts: 1 })
    const first = await submit(rig, 'sequence', 'first')
    // Whatever the log says of it, now it has the only slot.
    await began.opened
    const low = await submit(rig, 'sequence', 'low', { priority: 'low' })
    const critical = await submit(rig, 'sequence', 'critical', { priority: 'critical' })
    for (const runId of [low, critical]) await waitUntil(rig, runId, 'step.scheduled')
    busy.open()
    for (const runId of [first, low, critical]) await ended(rig, runId)
    expect(order).toEqual(['first', 'critical', 'low'])
  })

  test('a saga undoes what was done, in reverse order, when a step fails', async () => {
    const undone: unknown[] = []
    const CleanUp: StepFunction = async (input) => {
      undone.push(input)
      return null
    }
    const Third: StepFunction = async () => {
      throw new StepError('no_car', 'No car.', { retryable: false })
    }
    const rig = await open({ steps: { ...plain, CleanUp, Third }, workflows })
    const runId = await submit(rig, 'booking')
    expect(await ended(rig, runId)).toMatchObject({ status: 'failed', error: { code: 'no_car' } })
    expect(undone).toEqual(['flight', 'room'])
    const events = await rig.store.events.ofRun(runId)
    expect(events.find(({ type }) => type === 'attributes.set')?.data).toMatchObject({
      attributes: { customer: 'c-1', urgent: true },
    })
  })

  test('a saga that is cancelled undoes what was done', async () => {
    const undone: unknown[] = []
    const began = gate()
    const CleanUp: StepFunction = async (input) => {
      undone.push(input)
      return null
    }
    const Third: StepFunction = async (_input, { signal }) => {
      began.open()
      return untilAborted(signal)
    }
    const rig = await open({ steps: { ...plain, CleanUp, Third }, workflows })
    const runId = await submit(rig, 'booking')
    await began.opened
    await rig.engine.cancel(runId, 'no trip', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
    expect(undone).toEqual(['flight', 'room'])
  })

  test('a run continues as new, also over a restart, and its steps keep apart', async () => {
    const keys: string[] = []
    const First: StepFunction = async (input, { idempotencyKey }) => {
      keys.push(idempotencyKey)
      return input
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'continuing', { parts: 4, sum: 0 })
    await rig.restart()
    const run = await ended(rig, runId)
    expect(run).toMatchObject({ status: 'completed', result: { sum: 10, part: 3 } })
    expect(new Set(keys)).toEqual(new Set(['', '~1', '~2', '~3'].map((part) => `${runId}/First${part}`)))
    const types = await eventTypes(rig, runId)
    expect(types.filter((type) => type === 'run.continued')).toHaveLength(3)
    expect(types.filter((type) => type === 'run.started')).toHaveLength(1)
  })

  test('a run takes a signal along that nobody handled before it continued', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await submit(rig, 'continuing', { parts: 30, sum: 0 })
    await rig.engine.signal(runId, 'other', 'kept', owner)
    await ended(rig, runId)
    const carried = (await rig.store.events.ofRun(runId)).flatMap(({ type, data }) =>
      type === 'run.continued' ? [data.carried] : [],
    )
    expect(carried.at(-1)).toEqual([{ signal: 'other', payload: 'kept' }])
  })

  test('a loop goes on in a new part when its history has grown large', async () => {
    const First: StepFunction = async (input) => `${input}`.padEnd(900_000, 'x')
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'looping', { rounds: 14 })
    expect((await ended(rig, runId)).result).toEqual({ round: 14, parts: [0, 1] })
  })

  test('a run that is paused when it goes on in a new part begins no step there until it is resumed', async () => {
    const [began, go] = [gate(), gate()]
    let steps = 0
    const First: StepFunction = async (input) => {
      steps += 1
      if (steps === lastOfPart) {
        began.open()
        await go.opened
      }
      return `${input}`.padEnd(900_000, 'x')
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'looping', { rounds: lastOfPart + 1 })
    await began.opened
    await rig.engine.pause(runId, owner)
    go.open()
    await until(
      () => eventTypes(rig, runId),
      (types) => types.includes('run.continued'),
    )
    const paused = await waiting(rig, runId, 'paused')
    expect(paused).toMatchObject({ paused: true, reason_detail: 'Paused by user:suite.' })
    expect(steps).toBe(lastOfPart)
    await rig.engine.resume(runId, owner)
    expect((await ended(rig, runId)).result).toEqual({ round: lastOfPart + 1, parts: [0, 1] })
  })

  test('a run that began before a deploy goes on the old way past a patch, a new one takes the new', async () => {
    const began = gate()
    const hanging: StepFunction = async (_input, { signal }) => {
      began.open()
      return untilAborted(signal)
    }
    const rig = await open({ steps: { ...plain, Third: hanging }, workflows })
    const runId = await submit(rig, 'sequence', 7)
    await began.opened
    const recorded = await until(
      () => rig.store.events.ofRun(runId),
      (found) => found.filter(({ type }) => type === 'step.started').length === 3,
    )
    const events = recorded.flatMap((event) => (isRunEvent(event) ? [asNewEvent(event)] : []))
    const moved = await copyRun(rig, events, await patchedHash(rig))
    const deployed = [askingWorkflow('sequence', 'patched')]
    await rig.restart({ steps: plain, workflows: deployed })
    expect((await ended(rig, moved)).result).toEqual([7, 7, 7])
    expect(await eventTypes(rig, moved)).not.toContain('value.recorded')
    const fresh = await submit(rig, 'sequence', 8)
    expect((await ended(rig, fresh)).result).toEqual([8, 8, 8])
    expect((await eventTypes(rig, fresh)).filter((type) => type === 'value.recorded')).toHaveLength(1)
    expect((await ended(rig, runId)).result).toEqual([7, 7, 7])
  })
}

/** Stores the definition with the patch and gives its hash. */
async function patchedHash(rig: EngineRig): Promise<string> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'kyros-patched-'))
  const workflows = [askingWorkflow('sequence', 'patched')]
  const { startable } = await prepareDefinitions({ store: rig.store, workflows, cacheDir, nowMs: Date.now() })
  return startable.get('sequence')?.hash ?? ''
}

async function waitUntil(rig: EngineRig, runId: string, type: string): Promise<void> {
  await until(
    () => eventTypes(rig, runId),
    (types) => types.includes(type),
  )
}
