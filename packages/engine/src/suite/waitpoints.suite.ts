import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { askingWorkflows as workflows } from '../fixtures/catalogue.ts'
import { ended, eventTypes, type OpenRig, owner, plain, submit, waiting } from './rig.ts'

/** Steps that keep the token that the first of them is given. */
function keepingToken() {
  const tokens: string[] = []
  const First: StepFunction = async (input) => {
    tokens.push(String(input))
    return null
  }
  return { steps: { ...plain, First }, token: () => tokens[0] ?? '' }
}

export function testWaitpoints(open: OpenRig): void {
  test('who has the token of a waitpoint answers it, also after a restart, once', async () => {
    const { steps, token } = keepingToken()
    const rig = await open({ steps, workflows })
    const runId = await submit(rig, 'questioning', {})
    expect(await waiting(rig, runId, 'waitpoint')).toMatchObject({ reason_detail: 'Ship it?' })
    expect(await rig.engine.describeWaitpoint(token())).toMatchObject({ name: 'approve', title: 'Ship it?' })
    await rig.restart({ steps })
    const answered = await rig.engine.completeWaitpoint(token(), { ok: true }, owner)
    expect(answered).toEqual({ runId, waitpoint: 'approve' })
    expect((await ended(rig, runId)).result).toEqual({ ok: true })
    await expect(rig.engine.completeWaitpoint(token(), { ok: false })).rejects.toMatchObject({
      code: 'waitpoint_closed',
    })
    expect((await eventTypes(rig, runId)).filter((type) => type.startsWith('waitpoint.'))).toEqual([
      'waitpoint.created',
      'waitpoint.completed',
    ])
  })

  test('a waitpoint that nobody answers in time fails where it is waited for', async () => {
    const { steps, token } = keepingToken()
    const rig = await open({ steps, workflows })
    const runId = await submit(rig, 'questioning', { timeoutMs: 60 })
    expect(await ended(rig, runId)).toMatchObject({ status: 'failed', error: { code: 'waitpoint_expired' } })
    await expect(rig.engine.completeWaitpoint(token(), 1)).rejects.toMatchObject({ code: 'waitpoint_closed' })
  })

  test('a waitpoint of a run that is cancelled is closed', async () => {
    const { steps, token } = keepingToken()
    const rig = await open({ steps, workflows })
    const runId = await submit(rig, 'questioning', {})
    await waiting(rig, runId, 'waitpoint')
    await rig.engine.cancel(runId, 'enough', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
    await expect(rig.engine.completeWaitpoint(token(), 1)).rejects.toMatchObject({ code: 'waitpoint_closed' })
  })

  test('nobody answers with a token that was not given to him', async () => {
    const rig = await open({ steps: plain, workflows })
    const forged = '01890000-0000-7000-8000-000000000001.1.AAAAAAAAAAAAAAAAAAAAAAAA'
    for (const token of ['', 'nonsense', forged]) {
      await expect(rig.engine.completeWaitpoint(token, 1)).rejects.toMatchObject({
        code: 'waitpoint_token_invalid',
      })
    }
  })

  test('an answer that is large lies beside the log and reaches the definition whole', async () => {
    const { steps, token } = keepingToken()
    const rig = await open({ steps, workflows })
    const runId = await submit(rig, 'questioning', {})
    await waiting(rig, runId, 'waitpoint')
    const text = 'x'.repeat(200_000)
    await rig.engine.completeWaitpoint(token(), { text })
    expect(await ended(rig, runId)).toMatchObject({ status: 'completed', result: { text } })
    const completed = (await rig.store.events.ofRun(runId)).find(({ type }) => type === 'waitpoint.completed')
    expect(completed?.data.payload).toMatchObject({ $blob: expect.any(String) })
  })
}
