import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
let runId: string
beforeAll(async () => {
  platform = await startTestPlatform()
  const { id } = await platform.submit({ workflow: 'talk' })
  const job = await platform.awaitJob(id, ({ reason }) => reason === 'waitpoint')
  runId = job.run_id
  await platform.send('POST', `/api/v1/workflows/${runId}/cancel`)
  await platform.awaitEnd(id)
})
afterAll(() => platform.stop())

const read = (name: string, headers = {}) =>
  platform.get(`/api/v1/workflows/${runId}/streams/${name}`, { as: 'viewer', headers })

const messages = (body: string) =>
  body
    .split('\n\n')
    .map((block) => /^id: (\d+)\ndata: (.*)$/m.exec(block))
    .flatMap((found) => (found === null ? [] : [[Number(found[1]), JSON.parse(found[2] ?? '').data]]))

test('a stream is read from its beginning to the end of the run, and resumed by offset', async () => {
  const whole = await read('words')
  expect(whole.headers['content-type']).toContain('text/event-stream')
  expect(messages(whole.body)).toEqual([
    [1, 'all'],
    [2, 'is'],
    [3, 'well'],
  ])
  expect(whole.body).toMatch(/event: end\ndata: \{\}\n\n$/)
  const rest = await read('words', { 'last-event-id': '2' })
  expect(messages(rest.body)).toEqual([[3, 'well']])
})

test('a stream that nobody wrote to is empty', async () => {
  expect(messages((await read('silence')).body)).toEqual([])
})

test('a stream of a run that is not there is refused', async () => {
  const answer = await platform.get('/api/v1/workflows/0190a000-0000-7000-8000-000000000001/streams/words')
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'run_not_found'])
})
