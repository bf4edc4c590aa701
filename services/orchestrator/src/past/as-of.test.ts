import { setTimeout } from 'node:timers/promises'
import type { Event } from '@kyros/contract/event'
import type { Job } from '@kyros/contract/job'
import type { Run, RunSummary } from '@kyros/contract/run'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
/** Failed once with two attempts, then again as another run of the same job. */
let failed: Job
let events: Event[]
beforeAll(async () => {
  platform = await startTestPlatform()
  const first = await platform.submit({ title: 'First', workflow: 'greet', input: { name: 'Ada' } })
  await platform.awaitEnd(first.id)
  failed = await platform.awaitEnd((await platform.submit({ title: 'Second', workflow: 'fault' })).id)
  await platform.send('POST', `/api/v1/jobs/${failed.id}/retry`)
  await platform.awaitJob(failed.id, ({ attempt, status }) => attempt === 2 && status === 'failed')
  await platform.submit({ title: 'Third' })
  events = (await platform.get('/api/v1/events?limit=200', { as: 'admin' })).json().events
})
afterAll(() => platform.stop())

const runAt = (asOf: string | number) => platform.get(`/api/v1/workflows/${failed.run_id}?as_of=${asOf}`)
const seqOf = (type: string, runId = failed.run_id) => {
  const found = events.find((event) => event.type === type && event.run_id === runId)
  if (found === undefined) throw new Error(`There is no ${type}`)
  return found
}

describe('a run as of an event', () => {
  test('has the steps, attempts and result of that moment', async () => {
    const before = (await runAt(seqOf('step.scheduled').seq)).json<Run>()
    expect(before).toMatchObject({ status: 'running', error: null, completed_at: null, steps_completed: 0 })
    expect(before.steps).toMatchObject([{ status: 'pending', attempts: [] }])
    const during = (await runAt(seqOf('step.failed').seq)).json<Run>()
    expect(during.steps[0]?.attempts).toMatchObject([{ attempt: 1, status: 'failed' }])
    const after = (await runAt(seqOf('run.failed').seq)).json<Run>()
    expect(after).toMatchObject({ status: 'failed', reason: 'step_failed' })
    expect(after).toEqual((await platform.get(`/api/v1/workflows/${failed.run_id}`)).json())
  })

  test('is at every event what its events say', async () => {
    for (const { seq } of events.filter(({ run_id }) => run_id === failed.run_id)) {
      expect((await runAt(seq)).json<Run>().last_seq).toBe(seq)
    }
  })

  test('is not there before it was created', async () => {
    const answer = await runAt(seqOf('run.created').seq - 1)
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'run_not_found'])
    expect(answer.json().detail).toContain('yet')
  })
})

describe('a job as of an event', () => {
  const jobAt = (seq: number) => platform.get(`/api/v1/jobs/${failed.id}?as_of=${seq}`)

  test('is that of its latest run then', async () => {
    const first = (await jobAt(seqOf('run.failed').seq)).json<Job>()
    expect(first).toMatchObject({ attempt: 1, run_id: failed.run_id, status: 'failed' })
    const again = events.find(({ type, data }) => type === 'run.created' && data.retry_of === failed.run_id)
    const second = (await jobAt(again?.seq ?? 0)).json<Job>()
    expect(second).toMatchObject({ attempt: 2, run_id: again?.run_id, status: 'pending', error: null })
    expect((await jobAt(seqOf('run.started').seq)).json<Job>().updated_at).toBe(seqOf('run.started').time)
  })

  test('is not there before it was created', async () => {
    const answer = await jobAt(seqOf('run.created').seq - 2)
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'job_not_found'])
  })
})

describe('lists as of an event', () => {
  const list = async (query: string) => (await platform.get(`/api/v1/${query}`)).json()
  const titles = ({ jobs }: { jobs: Job[] }) => jobs.map(({ title }) => title)

  test('hold what there was, with the status of then', async () => {
    const { seq } = seqOf('run.started')
    const jobs = await list(`jobs?as_of=${seq}`)
    expect(titles(jobs)).toEqual(['Second', 'First'])
    expect(jobs.jobs.map(({ status }: Job) => status)).toEqual(['running', 'completed'])
    expect(titles(await list(`jobs?as_of=${seq}&sort=created_at`))).toEqual(['First', 'Second'])
    expect(titles(await list(`jobs?as_of=${seq}&status=running`))).toEqual(['Second'])
    expect(titles(await list(`jobs?as_of=${seq}&status=failed`))).toEqual([])
    const { workflows } = await list(`workflows?as_of=${seq}`)
    expect(workflows.map(({ name, status }: RunSummary) => [name, status])).toEqual([
      ['Second', 'running'],
      ['First', 'completed'],
    ])
    expect((await list(`workflows?as_of=${seq}&status=running`)).workflows).toHaveLength(1)
  })

  test('go on with a cursor', async () => {
    const { seq } = seqOf('run.started')
    const page = await list(`jobs?as_of=${seq}&limit=1`)
    expect(titles(page)).toEqual(['Second'])
    const next = await list(`jobs?as_of=${seq}&limit=1&cursor=${page.next_cursor}`)
    expect(titles(next)).toEqual(['First'])
    expect(next.next_cursor).toBeNull()
  })

  test('are empty before everything', async () => {
    expect(await list('jobs?as_of=0')).toMatchObject({ jobs: [], next_cursor: null })
    expect(await list('workflows?as_of=0')).toMatchObject({ workflows: [], next_cursor: null })
  })
})

describe('a moment', () => {
  test('may be a time', async () => {
    const { time } = seqOf('run.failed')
    const atEnd = await runAt(encodeURIComponent(time))
    expect(atEnd.json()).toMatchObject({ id: failed.run_id })
    const earlier = await runAt('2020-01-01T00:00:00%2B01:00')
    expect([earlier.statusCode, earlier.json().code]).toEqual([404, 'run_not_found'])
    const last = events.at(-1)?.time ?? ''
    const now = (await platform.get(`/api/v1/jobs?as_of=${last}`)).json()
    expect(now.jobs.map(({ title }: Job) => title)).toEqual(['Third', 'Second', 'First'])
  })

  test.each([
    ['a word', 'yesterday', 'request_invalid'],
    ['a day', '2026-01-31', 'request_invalid'],
    ['a time that does not exist', '2026-02-31T99:00:00Z', 'request_invalid'],
    ['a negative number', '-1', 'request_invalid'],
    ['nothing', '', 'request_invalid'],
    ['a number that the log has not reached', '999999999', 'moment_unknown'],
    ['a time in the future', '2999-01-01T00:00:00Z', 'moment_unknown'],
  ])('that is %s is refused, everywhere', async (_name, asOf, code) => {
    for (const path of ['jobs', `jobs/${failed.id}`, 'workflows', `workflows/${failed.run_id}`]) {
      const answer = await platform.get(`/api/v1/${path}?as_of=${encodeURIComponent(asOf)}`)
      expect([path, answer.statusCode, answer.json().code]).toEqual([path, 422, code])
    }
  })
})

describe('a moment before forks, which take over older events', () => {
  let march: Job
  let before: string
  const forks: string[] = []
  beforeAll(async () => {
    const { id } = await platform.submit({ title: 'March', workflow: 'march', input: { steps: 80 } })
    march = await platform.awaitEnd(id)
    before = await aMomentLater()
    for (let fork = 0; fork < 3; fork++) {
      const from = { payload: { from_step: 'step-80', new_job: true } }
      const { job_id } = (await platform.send('POST', `/api/v1/workflows/${march.run_id}/fork`, from)).json()
      await platform.awaitEnd(job_id)
      forks.push(job_id)
    }
  })

  test('is the same by its time as it was', async () => {
    const { jobs } = (await platform.get(`/api/v1/jobs?as_of=${before}`)).json<{ jobs: Job[] }>()
    expect(jobs[0]).toMatchObject({ id: march.id, status: 'completed' })
    for (const id of forks)
      expect((await platform.get(`/api/v1/jobs/${id}?as_of=${before}`)).statusCode).toBe(404)
  })

  test('by the number of an event that was taken over, has the fork in its lists', async () => {
    const job = (await platform.get(`/api/v1/jobs/${forks.at(-1)}`)).json<Job>()
    const history = (await platform.get(`/api/v1/workflows/${job.run_id}/history`)).json<{
      events: Event[]
    }>()
    const copied = history.events.filter(({ time }) => time < before)
    expect(copied.length).toBeGreaterThan(200)
    const seq = copied.at(-1)?.seq
    const listed = (await platform.get(`/api/v1/jobs?as_of=${seq}`)).json<{ jobs: Job[] }>()
    expect(listed.jobs.map(({ id }) => id)).toContain(job.id)
  })
})

/** A time with nothing in its millisecond, so that what follows is surely later. */
async function aMomentLater(): Promise<string> {
  await setTimeout(20)
  const time = new Date().toISOString()
  await setTimeout(20)
  return time
}
