import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { ended, gate, type OpenRig, plain, record, submit, untilAborted, waiting } from './rig.ts'

export function testTimers(open: OpenRig): void {
  test('a sleeping run waits with its time and goes on after it', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'sleeping', { ms: 80 })
    const asleep = await waiting(rig, runId, 'timer')
    expect(asleep.waiting_until).toBeTypeOf('string')
    expect((await rig.engine.why(runId)).waits_for).toMatchObject([{ kind: 'timer' }])
    const run = await ended(rig, runId)
    expect(run.status).toBe('completed')
    const { sleptMs } = run.result as { sleptMs: number }
    expect(sleptMs).toBeGreaterThanOrEqual(80)
  })

  test('a sleep goes on over a restart', async () => {
    let calls = 0
    const First: StepFunction = async (input) => {
      calls += 1
      return input
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'sleeping', { ms: 600 })
    await waiting(rig, runId, 'timer')
    await rig.restart()
    expect((await ended(rig, runId)).result).toMatchObject({ first: 'before', second: 'after' })
    expect(calls).toBe(1)
  })

  test('a run that was asked for later begins then', async () => {
    const rig = await open({ steps: plain })
    const runAtMs = Date.now() + 400
    const runId = await submit(rig, 'sequence', 1, { runAtMs })
    expect(await record(rig, runId)).toMatchObject({ status: 'waiting', reason: 'timer' })
    const run = await ended(rig, runId)
    expect(Date.parse(run.started_at ?? '')).toBeGreaterThanOrEqual(runAtMs)
  })

  test('a run that takes longer than its limit is timed out', async () => {
    const stopped = gate()
    const First: StepFunction = async (input, { signal }) =>
      input === 'quick' ? input : untilAborted(signal).finally(() => stopped.open())
    const rig = await open({ steps: { ...plain, First } })
    // A worker that just started may take longer than the limit of the second over the first step of all.
    await ended(rig, await submit(rig, 'sequence', 'quick'))
    const run = await ended(rig, await submit(rig, 'sequence', 1, { timeoutSeconds: 1 }))
    expect(run).toMatchObject({ status: 'timed_out', error: { code: 'run_timed_out' } })
    await stopped.opened
  })
}
