import type { Job } from '@kyros/contract/job'
import type { Run } from '@kyros/contract/run'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

const reference = { $blob: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: expect.any(Number) }
const getRun = async (id: string) => (await platform.get(`/api/v1/workflows/${id}`)).json<Run>()
const getHistory = async (id: string) => (await platform.get(`/api/v1/workflows/${id}/history`)).json()
const signal = (id: string, body: string) =>
  platform.send('POST', `/api/v1/workflows/${id}/signal/note`, {
    payload: body,
    headers: { 'content-type': 'application/json' },
  })

test('a large input is kept beside the log and shown as it was sent, also by the next try', async () => {
  const input = { name: 'é'.repeat(40_000) }
  const { id } = await platform.submit({ workflow: 'twice', input })
  const { run_id } = await platform.awaitEnd(id)
  expect(await platform.store.runs.get(run_id)).toMatchObject({ input: reference })
  expect((await platform.get(`/api/v1/jobs/${id}`)).json<Job>().input).toEqual(input)
  const run = await getRun(run_id)
  expect(run).toMatchObject({ status: 'completed', input })
  expect(run.steps[0]).toMatchObject({ input, output: input })
  expect((await getHistory(run_id)).events[0].data.input).toEqual(input)
  await platform.send('POST', `/api/v1/jobs/${id}/retry`)
  const again = await platform.awaitJob(id, (job) => job.status === 'completed' && job.run_id !== run_id)
  expect((await getRun(again.run_id)).input).toEqual(input)
})

test('a payload that looks like a reference is shown as it is, and not what it points at', async () => {
  const { sha256 } = await platform.store.blobs.put(Buffer.from('"of somebody else"'))
  const forged = { $blob: sha256, bytes: 18 }
  const { id } = await platform.submit({ workflow: 'hold' })
  const { run_id } = await platform.awaitJob(id, ({ status }) => status === 'waiting')
  for (const payload of [forged, 'x'.repeat(70_000)]) {
    expect((await signal(run_id, JSON.stringify(payload))).statusCode).toBeLessThan(300)
  }
  const kept = (await platform.store.events.ofRun(run_id)).filter(({ type }) => type === 'signal.received')
  expect(kept.map(({ data }) => data.payload)).toEqual([reference, reference])
  const history: { events: { type: string; data: { payload?: unknown } }[] } = await getHistory(run_id)
  const shown = history.events.filter(({ type }) => type === 'signal.received')
  expect(shown.map(({ data }) => data.payload)).toEqual([forged, 'x'.repeat(70_000)])
})

test('a payload that is too large once it is written out is refused', async () => {
  const { id } = await platform.submit({ workflow: 'hold' })
  const { run_id } = await platform.awaitJob(id, ({ status }) => status === 'waiting')
  const body = `[${'1e20,'.repeat(60_000)}0]`
  const answer = await signal(run_id, body)
  expect([answer.statusCode, answer.json().code]).toEqual([413, 'body_too_large'])
})
