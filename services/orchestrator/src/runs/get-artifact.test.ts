import type { Job } from '@kyros/contract/job'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'
import { artifactHeaders } from './get-artifact.ts'

let platform: TestPlatform
let job: Job
beforeAll(async () => {
  platform = await startTestPlatform()
  job = await platform.awaitEnd((await platform.submit({ workflow: 'greet', input: { name: 'Ada' } })).id)
})
afterAll(() => platform.stop())

const artifact = (name: string, headers = {}) =>
  platform.get(`/api/v1/workflows/${job.run_id}/artifacts/${encodeURIComponent(name)}`, { headers })

test('the artifacts of a run are listed with their size and hash', async () => {
  const { artifacts } = (await platform.get(`/api/v1/workflows/${job.run_id}/artifacts`)).json()
  const report = artifacts.find(({ name }: { name: string }) => name === 'report.md')
  expect(report).toMatchObject({
    media_type: 'text/markdown',
    bytes: 12,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
})

test('an artifact comes as it is, tagged with its hash', async () => {
  const answer = await artifact('report.md')
  expect(answer.body).toBe('# Hello Ada\n')
  expect(answer.headers['content-type']).toContain('text/markdown')
  expect(answer.headers['content-disposition']).toBe('inline; filename="report.md"')
  const again = await artifact('report.md', { 'if-none-match': String(answer.headers.etag) })
  expect([again.statusCode, again.body]).toEqual([304, ''])
})

test('HTML is never shown by the browser, and its type is not guessed', async () => {
  const { headers } = await artifact('page.html')
  expect(headers['content-disposition']).toMatch(/^attachment;/)
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(headers['content-security-policy']).toBe("sandbox; default-src 'none'")
})

test('a name beyond ASCII is given in both forms', async () => {
  const { headers, statusCode } = await artifact('überblick "neu".txt')
  expect(statusCode).toBe(200)
  expect(headers['content-disposition']).toBe(
    'inline; filename="_berblick _neu_.txt"; filename*=UTF-8\'\'%C3%BCberblick%20%22neu%22.txt',
  )
})

test('a type that is none does not reach the header', () => {
  const made = {
    name: 'a',
    sha256: 'x',
    bytes: 1,
    created_at: '',
    media_type: 'text/html\r\nset-cookie: a=b',
  }
  expect(artifactHeaders(made)['content-type']).toBe('application/octet-stream')
})

test('a name that the run did not leave is artifact_not_found', async () => {
  for (const name of ['other.md', '../report.md', '..%2f..%2fetc/passwd']) {
    const answer = await artifact(name)
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'artifact_not_found'])
  }
})
