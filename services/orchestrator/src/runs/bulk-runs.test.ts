import type { BulkResult } from '@kyros/contract/job'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

const unknownId = '0190a000-0000-7000-8000-000000000001'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

const send = (payload: object) => platform.send('POST', '/api/v1/workflows/bulk', { payload })
async function bulk(action: string, ids: string[]): Promise<BulkResult[]> {
  const answer = await send({ action, ids })
  expect(answer.statusCode).toBe(200)
  return answer.json().results
}

describe('many runs', () => {
  test('are cancelled at once; what cannot be keeps none of the others back', async () => {
    const held = await Promise.all([1, 2, 3].map(() => platform.submit({ workflow: 'hold' })))
    const ended = await platform.awaitEnd(
      (await platform.submit({ workflow: 'greet', input: { name: 'Ada' } })).id,
    )
    const ids = [...held.map(({ run_id }) => run_id), ended.run_id, unknownId]
    const results = await bulk('cancel', ids)
    expect(results.map(({ id }) => id)).toEqual(ids)
    expect(results.map(({ ok, code }) => code ?? ok)).toEqual([
      ...[true, true, true],
      ...['run_ended', 'run_not_found'],
    ])
    for (const { id } of held) expect((await platform.awaitEnd(id)).status).toBe('cancelled')
  })

  test('are started again, each under a new run of its job', async () => {
    const job = await platform.awaitEnd(
      (await platform.submit({ workflow: 'greet', input: { name: 'Bob' } })).id,
    )
    const running = await platform.submit({ workflow: 'hold' })
    const [again, refused] = await bulk('retry', [job.run_id, running.run_id])
    expect(again).toMatchObject({ id: job.run_id, ok: true, status: 'pending' })
    expect(refused).toMatchObject({ ok: false, code: 'run_not_ended', detail: expect.any(String) })
    expect(await platform.awaitEnd(job.id)).toMatchObject({ run_id: again?.run_id, attempt: 2 })
    await bulk('cancel', [running.run_id])
  })

  test('of somebody else are left alone, one by one and together', async () => {
    const { run_id, id } = await platform.submit({ workflow: 'hold' })
    const mine = (
      await platform.send('POST', '/api/v1/jobs', { as: 'other', payload: { workflow: 'hold' } })
    ).json()
    const payload = { action: 'cancel', ids: [run_id, mine.run_id] }
    const answer = await platform.send('POST', '/api/v1/workflows/bulk', { as: 'other', payload })
    expect(answer.json().results).toMatchObject([{ ok: false, code: 'permission_denied' }, { ok: true }])
    for (const action of ['cancel', 'retry']) {
      const refused = await platform.send('POST', `/api/v1/workflows/${run_id}/${action}`, { as: 'other' })
      expect([refused.statusCode, refused.json().code]).toEqual([403, 'permission_denied'])
    }
    await platform.send('DELETE', `/api/v1/jobs/${id}?force=true`)
  })

  test.each([
    ['an unknown action', { action: 'delete', ids: [unknownId] }],
    ['no run', { action: 'cancel', ids: [] }],
    ['a run twice', { action: 'cancel', ids: [unknownId, unknownId] }],
    ['more than 200 runs', { action: 'cancel', ids: Array.from({ length: 201 }, () => unknownId) }],
    ['what is no id', { action: 'cancel', ids: ['x'] }],
  ])('%s is refused as a whole', async (_name, body) => {
    const answer = await send(body)
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'request_invalid'])
  })
})
