import type { Json } from '@kyros/contract/json'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { askingWorkflows as workflows } from '../fixtures/catalogue.ts'
import {
  type EngineRig,
  ended,
  eventTypes,
  gate,
  type OpenRig,
  owner,
  plain,
  submit,
  waiting,
} from './rig.ts'

async function begun(rig: EngineRig): Promise<string> {
  const runId = await submit(rig, 'updating', { limit: 1 })
  await waiting(rig, runId, 'signal')
  return runId
}

const setLimit = (rig: EngineRig, runId: string, payload: Json, updateId: string) =>
  rig.engine.update(runId, 'setLimit', payload, { updateId, principal: owner })

export function testUpdates(open: OpenRig): void {
  test('an update is done with steps and answered, and the same one again is answered the same', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await begun(rig)
    expect(await setLimit(rig, runId, 5, 'a')).toEqual({ before: 1, limit: 5 })
    expect(await setLimit(rig, runId, 7, 'b')).toEqual({ before: 5, limit: 7 })
    await rig.restart()
    expect(await setLimit(rig, runId, 5, 'a')).toEqual({ before: 1, limit: 5 })
    expect(await rig.engine.query(runId, 'limit', null)).toBe(7)
    await rig.engine.signal(runId, 'finish', null, owner)
    expect((await ended(rig, runId)).result).toBe(7)
  })

  test('an update that is refused leaves no trace', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await begun(rig)
    const before = await eventTypes(rig, runId)
    await expect(setLimit(rig, runId, 'many', 'a')).rejects.toMatchObject({
      code: 'update_rejected',
      message: 'A limit is a number.',
    })
    const unknown = rig.engine.update(runId, 'colour', 1, { updateId: 'b', principal: owner })
    await expect(unknown).rejects.toMatchObject({ code: 'update_unknown' })
    expect(await eventTypes(rig, runId)).toEqual(before)
    await rig.engine.cancel(runId, 'the test is over', owner)
  })

  test('an update that fails on purpose fails alone', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await begun(rig)
    await expect(setLimit(rig, runId, 500, 'a')).rejects.toMatchObject({
      code: 'update_failed',
      message: expect.stringContaining('At most 100.'),
    })
    expect(await setLimit(rig, runId, 5, 'b')).toEqual({ before: 500, limit: 5 })
    expect(await eventTypes(rig, runId)).toContain('update.failed')
    await rig.engine.cancel(runId, 'the test is over', owner)
  })

  test('an update whose result is above 1 MB fails alone', async () => {
    const rig = await open({ steps: { ...plain, First: async () => 'x'.repeat(700_000) }, workflows })
    const runId = await begun(rig)
    await setLimit(rig, runId, 5, 'a')
    await expect(setLimit(rig, runId, 6, 'b')).rejects.toMatchObject({
      code: 'update_failed',
      message: expect.stringContaining('more than 1048576 bytes'),
    })
    expect((await waiting(rig, runId, 'signal')).status).toBe('waiting')
    await rig.engine.cancel(runId, 'the test is over', owner)
  })

  test('an update that was accepted before a crash is answered after it', async () => {
    const began = gate()
    const hanging: StepFunction = async () => {
      began.open()
      return new Promise(() => {})
    }
    const rig = await open({ steps: { ...plain, First: hanging }, workflows })
    const runId = await begun(rig)
    const lost = setLimit(rig, runId, 5, 'a').catch((error: { code: string }) => error.code)
    await began.opened
    await rig.restart({ steps: plain })
    await lost
    expect(await setLimit(rig, runId, 5, 'a')).toEqual({ before: 1, limit: 5 })
    expect((await eventTypes(rig, runId)).filter((type) => type === 'update.accepted')).toHaveLength(1)
    await rig.engine.cancel(runId, 'the test is over', owner)
  })

  test('a query is answered by a run that waits and by one that has ended, and changes neither', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await begun(rig)
    expect(await rig.engine.query(runId, 'limit', null)).toBe(1)
    await expect(rig.engine.query(runId, 'bad', null)).rejects.toMatchObject({ code: 'query_failed' })
    await expect(rig.engine.query(runId, 'colour', null)).rejects.toMatchObject({ code: 'query_unknown' })
    await rig.engine.signal(runId, 'finish', null, owner)
    await ended(rig, runId)
    const types = await eventTypes(rig, runId)
    expect(await rig.engine.query(runId, 'limit', null)).toBe(1)
    expect(await eventTypes(rig, runId)).toEqual(types)
  })
}
