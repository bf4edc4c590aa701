import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '@kyros/kernel/clock'
import { systemClock } from '@kyros/kernel/clock'
import { afterEach, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'
import { scheduleRetention } from './schedule-retention.ts'

let platform: TestPlatform | undefined
const archiveDir = mkdtempSync(join(tmpdir(), 'kyros-archive-'))
afterEach(async () => {
  await platform?.stop()
  rmSync(archiveDir, { recursive: true, force: true })
})

/** Three jobs that ended and one that goes on; the newest run of all is kept whatever its age. */
async function startWithJobs(): Promise<TestPlatform> {
  platform = await startTestPlatform({ orchestrator: { archiveDir } })
  for (const name of ['Ada', 'Bob', 'Eve']) {
    await platform.awaitEnd((await platform.submit({ workflow: 'greet', input: { name } })).id)
  }
  await platform.submit({ title: 'goes on' })
  return platform
}

const titles = async ({ get }: TestPlatform) =>
  (await get('/api/v1/jobs'))
    .json()
    .jobs.map(({ input, title }: { input: { name?: string }; title: string }) => input?.name ?? title)

test('an admin archives what has ended, and what goes on stays', async () => {
  const { send, get } = await startWithJobs()
  const archive = (days: number, as: 'admin' | 'operator') =>
    send('POST', '/api/v1/jobs/archive', { payload: { older_than_days: days }, as })
  expect((await archive(0, 'operator')).statusCode).toBe(403)
  expect((await archive(1, 'admin')).json()).toMatchObject({ jobs: 0, archive: null, has_more: false })
  const answer = await archive(0, 'admin')
  expect(answer.json()).toMatchObject({ jobs: 3, runs: 3 })
  expect(readdirSync(archiveDir)).toContainEqual(expect.stringMatching(/^jobs-.*\.ndjson\.gz$/))
  expect((await get('/api/v1/jobs')).json().jobs).toMatchObject([{ title: 'goes on' }])
})

test('without a directory for archives nothing is removed', async () => {
  platform = await startTestPlatform()
  const payload = { older_than_days: 0 }
  const answer = await platform.send('POST', '/api/v1/jobs/archive', { payload, as: 'admin' })
  expect([answer.statusCode, answer.json().code]).toEqual([409, 'archive_unavailable'])
})

test('old jobs are removed by themselves, and a failure is tried again the next time', async () => {
  const started = await startWithJobs()
  const { store, engine } = started
  const stop = new AbortController()
  let turns = 0
  const { run } = store.retention
  // One failure, one success, then the end; time passes at once.
  const clock: Clock = {
    nowMs: () => systemClock.nowMs() + 1,
    sleep: async () => {
      turns += 1
      if (turns === 1) store.retention.run = () => Promise.reject(new Error('no space'))
      if (turns === 2) store.retention.run = run
      if (turns < 3) return
      stop.abort()
      throw stop.signal.reason
    },
  }
  const lines: string[] = []
  const context = { store, engine, clock, newId: () => '', defaultProjectId: '', archiveDir }
  const plan = { olderThanMs: 0, everyMs: 1_000, isArchived: true }
  await scheduleRetention(context, plan, stop.signal, (level, message) => lines.push(`${level} ${message}`))
  expect(lines[0]).toBe('warn Old jobs were not removed: no space')
  expect(lines[1]).toMatch(/^info 3 old jobs with 3 runs /)
  expect(await titles(started)).toEqual(['goes on'])
})
