import type { Json } from '@kyros/contract/json'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { ended, eventTypes, gate, type OpenRig, owner, plain, submit, untilAborted, waiting } from './rig.ts'

export function testCancellation(open: OpenRig): void {
  test('a cancelled run stops its step and ends', async () => {
    const [began, stopped] = [gate(), gate()]
    const First: StepFunction = async (_input, { signal }) => {
      began.open()
      return untilAborted(signal).finally(() => stopped.open())
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'sequence')
    await began.opened
    await rig.engine.cancel(runId, 'changed my mind', owner)
    expect(await ended(rig, runId)).toMatchObject({ status: 'cancelled', reason_detail: 'changed my mind' })
    await stopped.opened
    await expect(rig.engine.cancel(runId, 'again', owner)).rejects.toMatchObject({ code: 'run_ended' })
  })

  test('a sleeping run is cancelled at once', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'sleeping', { ms: 60_000 })
    await waiting(rig, runId, 'timer')
    await rig.engine.cancel(runId, 'enough', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
    expect(await eventTypes(rig, runId)).toContain('timer.cancelled')
  })

  test('a run that waits for its time is cancelled at once', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'sequence', 1, { runAtMs: Date.now() + 60_000 })
    expect((await rig.engine.why(runId)).waits_for).toMatchObject([{ kind: 'timer' }])
    await rig.engine.cancel(runId, 'too late', owner)
    expect((await ended(rig, runId)).started_at).toBeNull()
  })

  test('a shield lets clean-up finish', async () => {
    const began = gate()
    const cleaned: Json[] = []
    const First: StepFunction = async (_input, { signal }) => {
      began.open()
      return untilAborted(signal)
    }
    const CleanUp: StepFunction = async (input) => {
      cleaned.push(input)
      return null
    }
    const rig = await open({ steps: { ...plain, First, CleanUp } })
    const runId = await submit(rig, 'shielding', 'mine')
    await began.opened
    await rig.engine.cancel(runId, 'stop', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
    expect(cleaned).toEqual(['mine', 'mine'])
    expect(await eventTypes(rig, runId)).not.toContain('step.failed')
  })

  test('a definition may end well although it was cancelled', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'stubborn')
    await waiting(rig, runId, 'signal')
    await rig.engine.cancel(runId, 'stop', owner)
    expect(await ended(rig, runId)).toMatchObject({ status: 'completed', result: ['Cancelled', 'Cancelled'] })
  })
}
