import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { ended, eventTypes, gate, type OpenRig, owner, plain, record, submit, until, waiting } from './rig.ts'

export function testPause(open: OpenRig): void {
  test('a paused run lets its step end and begins no other, also over a restart', async () => {
    const [began, go] = [gate(), gate()]
    const First: StepFunction = async (input) => {
      began.open()
      await go.opened
      return input
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'sequence', 7)
    await began.opened
    await rig.engine.pause(runId, owner)
    await rig.engine.pause(runId, owner)
    go.open()
    const paused = await waiting(rig, runId, 'paused')
    expect(paused).toMatchObject({ paused: true, steps_completed: 1, reason_detail: 'Paused by user:suite.' })
    expect(await rig.engine.why(runId)).toMatchObject({
      waits_for: [{ kind: 'paused', name: 'user:suite' }],
      what_would_move_it: expect.stringContaining('Resume it'),
    })
    await rig.restart()
    await waiting(rig, runId, 'paused')
    expect((await rig.engine.why(runId)).waits_for).toMatchObject([{ kind: 'paused', name: 'user:suite' }])
    await rig.engine.resume(runId, owner)
    expect((await ended(rig, runId)).result).toEqual([7, 7, 7])
    const types = await eventTypes(rig, runId)
    expect(types.filter((type) => type === 'run.pause_requested')).toHaveLength(1)
    await expect(rig.engine.pause(runId, owner)).rejects.toMatchObject({ code: 'run_ended' })
    await expect(rig.engine.pause(rig.newId(), owner)).rejects.toMatchObject({ code: 'run_not_found' })
  })

  test('a timer that falls due while its run is paused fires when it goes on', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'sleeping', { ms: 600 })
    await waiting(rig, runId, 'timer')
    await rig.engine.pause(runId, owner)
    await waiting(rig, runId, 'paused')
    await new Promise((resolve) => setTimeout(resolve, 650))
    expect(await eventTypes(rig, runId)).not.toContain('timer.fired')
    await rig.engine.resume(runId, owner)
    expect((await ended(rig, runId)).status).toBe('completed')
  })

  test('what is not paused cannot be resumed, and a paused run can be cancelled with its clean-up', async () => {
    const cleaned: unknown[] = []
    const CleanUp: StepFunction = async (input) => {
      cleaned.push(input)
      return input
    }
    const rig = await open({ steps: { ...plain, CleanUp } })
    const runId = await submit(rig, 'shielding', 'x')
    await waiting(rig, runId, 'timer')
    await expect(rig.engine.resume(runId, owner)).rejects.toMatchObject({ code: 'run_not_paused' })
    await rig.engine.pause(runId, owner)
    await waiting(rig, runId, 'paused')
    await rig.engine.cancel(runId, 'no longer needed', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
    expect(cleaned).toEqual(['x', 'x'])
  })

  test('a run that is paused before its time begins when it is resumed after it', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'sequence', 1, { runAtMs: Date.now() + 500 })
    await rig.engine.pause(runId, owner)
    await waiting(rig, runId, 'paused')
    await new Promise((resolve) => setTimeout(resolve, 550))
    expect((await record(rig, runId)).started_at).toBeNull()
    await rig.engine.resume(runId, owner)
    expect((await ended(rig, runId)).result).toEqual([1, 1, 1])
    await until(
      () => eventTypes(rig, runId),
      (types) => types.includes('run.resume_requested'),
    )
  })
}
