import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

let platform: TestPlatform
let before: { id: string; run_id: string }
let step: string
beforeAll(async () => {
  platform = await startTestPlatform()
  const { id } = await platform.submit({ title: 'Greet Ada', workflow: 'greet', input: { name: 'Ada' } })
  before = await platform.awaitEnd(id)
  const events = await platform.store.events.ofRun(before.run_id)
  step = String(events.find(({ type }) => type === 'step.scheduled')?.data.key)
})
afterAll(() => platform.stop())

const greeting = { input: { name: 'Ada' } }

test.each<[string, () => [string, object?]]>([
  ['submitted', () => ['/api/v1/jobs', { title: 'a', workflow: 'greet', ...greeting }]],
  ['started', () => ['/api/v1/workflows', { name: 'a', type: 'greet', ...greeting }]],
  ['tried again', () => [`/api/v1/jobs/${before.id}/retry`]],
  ['forked', () => [`/api/v1/workflows/${before.run_id}/fork`, { from_step: step, new_job: true }]],
  ['submitted the older way', () => ['/jobs', { agent_id: 'none', task: 'b' }]],
])('a run that is %s keeps the trace context of its request', async (_how, asked) => {
  const [url, payload] = asked()
  const headers = { traceparent }
  const answer = await platform.send('POST', url, { headers, ...(payload && { payload }) })
  const { id, job_id = id, run_id } = answer.json()
  const runId = run_id ?? (await platform.store.jobs.get(job_id))?.run_id
  const [created] = await platform.store.events.ofRun(runId)
  expect(created?.data.traceparent).toBe(traceparent)
})

test('a run whose request had no trace context, or none that is one, has none', async () => {
  const payload = { title: 'a', workflow: 'greet', ...greeting }
  const answer = await platform.send('POST', '/api/v1/jobs', {
    headers: { traceparent: 'nonsense' },
    payload,
  })
  const events = [...(await platform.store.events.ofRun(answer.json().run_id))]
  events.push(...(await platform.store.events.ofRun(before.run_id)))
  expect(events.filter(({ data }) => 'traceparent' in data)).toEqual([])
})
