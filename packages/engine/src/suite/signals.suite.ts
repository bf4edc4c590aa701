import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { ended, eventTypes, gate, type OpenRig, owner, plain, submit, waiting } from './rig.ts'

export function testSignals(open: OpenRig): void {
  test('signals are handled in order and meet a condition', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'collecting', { count: 3 })
    await waiting(rig, runId, 'signal')
    expect((await rig.engine.why(runId)).waits_for).toMatchObject([{ kind: 'signal', name: 'add' }])
    for (const item of [1, 2, 3]) await rig.engine.signal(runId, 'add', item, owner)
    expect((await ended(rig, runId)).result).toEqual({ met: true, items: [1, 2, 3] })
    await expect(rig.engine.signal(runId, 'add', 4, owner)).rejects.toMatchObject({ code: 'run_ended' })
  })

  test('signals that come before their handler wait for it', async () => {
    const [began, go] = [gate(), gate()]
    const First: StepFunction = async () => {
      began.open()
      await go.opened
      return null
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'collecting_late', { count: 2 })
    await began.opened
    await rig.engine.signal(runId, 'other', 0, owner)
    await rig.engine.signal(runId, 'add', 'a', owner)
    await rig.engine.signal(runId, 'add', 'b', owner)
    go.open()
    expect((await ended(rig, runId)).result).toEqual(['a', 'b'])
  })

  test('a signal that comes before the run begins waits for it, also over a restart', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'collecting', { count: 1 }, { runAtMs: Date.now() + 700 })
    await rig.engine.signal(runId, 'add', 'early', owner)
    await rig.restart()
    expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['early'] })
  })

  test('a signal that came before the run began is taken once, also when its sender repeats it later', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'collecting', { count: 2 }, { runAtMs: Date.now() + 300 })
    await rig.engine.signal(runId, 'add', 'early', owner, 'first id')
    await waiting(rig, runId, 'signal')
    for (const id of ['first id', 'second id']) await rig.engine.signal(runId, 'add', id, owner, id)
    expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['early', 'second id'] })
  })

  test('a condition that is not met in time says so', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'collecting', { count: 2, timeoutMs: 60 })
    await rig.engine.signal(runId, 'add', 1, owner)
    expect((await ended(rig, runId)).result).toEqual({ met: false, items: [1] })
  })

  test('a condition that is met drops its timer', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'collecting', { count: 1, timeoutMs: 60_000 })
    await waiting(rig, runId, 'signal')
    await rig.engine.signal(runId, 'add', 1, owner)
    expect((await ended(rig, runId)).result).toEqual({ met: true, items: [1] })
    expect(await eventTypes(rig, runId)).toContain('timer.cancelled')
  })
}
