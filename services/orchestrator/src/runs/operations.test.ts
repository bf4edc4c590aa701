import type { Job, RunStarted } from '@kyros/contract/job'
import { type ProblemCode, problem } from '@kyros/contract/problem'
import type { Run } from '@kyros/contract/run'
import type { Engine } from '@kyros/engine/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

const unknownId = '0190a000-0000-7000-8000-000000000001'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

const post = (
  path: string,
  payload?: unknown,
  options: { as?: 'other' | 'viewer'; headers?: object } = {},
) => {
  const { as, headers = {} } = options
  const text = payload === undefined ? {} : { payload: JSON.stringify(payload) }
  return platform.send('POST', `/api/v1/workflows/${path}`, {
    ...(as && { as }),
    ...text,
    headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  })
}
const getRun = async (id: string) => (await platform.get(`/api/v1/workflows/${id}`)).json<Run>()

/** A run that waits for the answer to its waitpoint. */
async function startTalk(): Promise<Job> {
  const { id } = await platform.submit({ workflow: 'talk' })
  return platform.awaitJob(id, ({ reason }) => reason === 'waitpoint')
}

async function finishTwice(name: string): Promise<Job> {
  const { id } = await platform.submit({ workflow: 'twice', input: { name } })
  return platform.awaitEnd(id)
}

const statusAndCode = (answer: { statusCode: number; json: () => { code: string } }) => [
  answer.statusCode,
  answer.json().code,
]

describe('pause and resume', () => {
  test('hold a run and let it go on', async () => {
    const { run_id, id } = await startTalk()
    const paused = await post(`${run_id}/pause`)
    expect([paused.statusCode, paused.json<Run>().paused]).toEqual([200, true])
    await platform.awaitJob(id, ({ reason }) => reason === 'paused')
    expect((await post(`${run_id}/pause`)).statusCode).toBe(200)
    const resumed = await post(`${run_id}/resume`)
    expect([resumed.statusCode, resumed.json<Run>().paused]).toEqual([200, false])
    expect(statusAndCode(await post(`${run_id}/resume`))).toEqual([409, 'run_not_paused'])
    await platform.awaitJob(id, ({ reason }) => reason === 'waitpoint')
  })

  test('many at once, each for itself', async () => {
    const [first, second] = [await startTalk(), await startTalk()]
    const bulk = async (action: string) =>
      (await post('bulk', { action, ids: [first.run_id, unknownId, second.run_id] })).json().results
    expect(await bulk('pause')).toMatchObject([{ ok: true }, { code: 'run_not_found' }, { ok: true }])
    expect((await getRun(second.run_id)).paused).toBe(true)
    expect(await bulk('resume')).toMatchObject([{ ok: true }, { ok: false }, { ok: true }])
    expect(await bulk('upgrade')).toMatchObject([{ ok: true }, { ok: false }, { ok: true }])
  })
})

describe('fork', () => {
  test('starts a new run of the job that takes over what came before a step', async () => {
    const job = await finishTwice('Ada')
    const answer = await post(`${job.run_id}/fork`, { from_step: 'Again' })
    expect(answer.statusCode).toBe(201)
    const started = answer.json<RunStarted>()
    expect(started).toMatchObject({ job_id: job.id, status: 'pending' })
    expect(answer.headers.location).toBe(`/api/v1/workflows/${started.run_id}`)
    const forked = await platform.awaitJob(
      job.id,
      ({ run_id, status }) => run_id !== job.run_id && status === 'completed',
    )
    expect(forked).toMatchObject({ run_id: started.run_id, result: { name: 'Ada!' } })
    expect((await getRun(started.run_id)).forked_from).toEqual({ run_id: job.run_id, step: 'Again' })
  })

  test('of a run that goes on is a job of its own, which anybody may start', async () => {
    const { run_id, id } = await startTalk()
    expect(statusAndCode(await post(`${run_id}/fork`, { from_step: 'Tell' }))).toEqual([409, 'run_not_ended'])
    const other = await post(`${run_id}/fork`, { from_step: 'Tell', new_job: true }, { as: 'other' })
    expect(other.statusCode).toBe(201)
    expect(other.json<RunStarted>().job_id).not.toBe(id)
    const theirs = (await platform.get(`/api/v1/jobs/${other.json<RunStarted>().job_id}`)).json<Job>()
    expect(theirs.created_by).toBe('user:other')
  })

  test('with one key twice starts one run', async () => {
    const job = await finishTwice('Bob')
    const headers = { 'idempotency-key': 'fork-once' }
    const first = await post(`${job.run_id}/fork`, { from_step: 'Again' }, { headers })
    await platform.awaitJob(job.id, ({ run_id, status }) => run_id !== job.run_id && status === 'completed')
    expect((await post(`${job.run_id}/fork`, { from_step: 'Again' }, { headers })).json()).toEqual(
      first.json(),
    )
    const other = await post(`${job.run_id}/fork`, { from_step: 'Work' }, { headers })
    expect(statusAndCode(other)).toEqual([422, 'idempotency_key_reused'])
  })

  test('from a step that there is not is refused', async () => {
    const job = await finishTwice('Eve')
    const answer = await post(`${job.run_id}/fork`, { from_step: 'Nothing' })
    expect(statusAndCode(answer)).toEqual([404, 'run_step_not_found'])
    expect(statusAndCode(await post(`${job.run_id}/fork`, {}))).toEqual([422, 'request_invalid'])
  })
})

describe('upgrade, budget and versions', () => {
  test('a run that is on the newest definition stays there', async () => {
    const { run_id } = await startTalk()
    const answer = await post(`${run_id}/upgrade`)
    const { definition } = await getRun(run_id)
    expect(answer.json()).toMatchObject({ run_id, moved: false, definition, from: definition })
    const unknown = await post(`${run_id}/upgrade`, { definition: 'a'.repeat(64) })
    expect(statusAndCode(unknown)).toEqual([404, 'definition_not_found'])
    expect(statusAndCode(await post(`${run_id}/upgrade`, { definition: 'short' }))).toEqual([
      422,
      'request_invalid',
    ])
  })

  test('limits are set one by one', async () => {
    const { run_id } = await startTalk()
    expect((await post(`${run_id}/budget`, { tokens: 100 })).json<Run>().budget).toMatchObject({
      tokens: 100,
    })
    const both = (await post(`${run_id}/budget`, { cost_usd: 0.5 })).json<Run>().budget
    expect(both).toMatchObject({ tokens: 100, cost_usd: 0.5 })
    for (const wrong of [{}, { tokens: 0 }, { tokens: 1.5 }, { cost_usd: -1 }, { money: 1 }]) {
      expect(statusAndCode(await post(`${run_id}/budget`, wrong))).toEqual([422, 'request_invalid'])
    }
  })

  test('versions say how many runs have not ended on them', async () => {
    await startTalk()
    const { versions } = (await platform.get('/api/v1/workflow-versions', { as: 'viewer' })).json()
    const talk = versions.find(({ workflow }: { workflow: string }) => workflow === 'talk')
    expect(talk).toMatchObject({
      version: '1.0.0',
      is_newest: true,
      definition: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(talk.live_runs).toBeGreaterThan(0)
  })
})

describe('query and update', () => {
  test('a run answers what it is asked, and changes when it is told to', async () => {
    const { run_id } = await startTalk()
    const asked = await platform.send('POST', `/api/v1/workflows/${run_id}/query/limit`, { as: 'viewer' })
    expect([asked.statusCode, asked.json()]).toEqual([200, { result: 1 }])
    const headers = { 'idempotency-key': 'set-limit' }
    const told = await post(`${run_id}/update/setLimit`, 5, { headers })
    expect([told.statusCode, told.json()]).toEqual([200, { result: { before: 1 } }])
    expect((await post(`${run_id}/update/setLimit`, 5, { headers })).json()).toEqual({
      result: { before: 1 },
    })
    expect((await post(`${run_id}/update/setLimit`, 6)).json()).toEqual({ result: { before: 5 } })
    expect((await post(`${run_id}/query/limit`)).json()).toEqual({ result: 6 })
  })

  test('an update whose handler has a bug says so, and blocks the run', async () => {
    const { run_id } = await startTalk()
    const answer = await post(`${run_id}/update/buggy`, 1)
    expect(statusAndCode(answer)).toEqual([504, 'update_pending'])
    expect(answer.json().detail).toContain(
      'The run is blocked: The definition threw TypeError: x is not a function',
    )
    expect(statusAndCode(await post(`${run_id}/update/setLimit`, 5))).toEqual([504, 'update_pending'])
    expect((await platform.get(`/api/v1/workflows/${run_id}`)).json()).toMatchObject({ reason: 'blocked' })
  })

  test.each([
    ['query/nothing', 1, 404, 'query_unknown'],
    ['query/broken', 1, 422, 'query_failed'],
    ['query/large', 1, 422, 'query_failed'],
    ['update/nothing', 1, 404, 'update_unknown'],
    ['update/setLimit', -1, 422, 'update_rejected'],
    ['update/setLimit', 13, 422, 'update_failed'],
  ])('%s with %s is refused', async (path, payload, status, code) => {
    const { run_id } = await startTalk()
    expect(statusAndCode(await post(`${run_id}/${path}`, payload))).toEqual([status, code])
  })

  test('a run that has not begun has nothing to say', async () => {
    const { run_id } = await platform.submit({ title: 'waits for an agent' })
    expect(statusAndCode(await post(`${run_id}/query/limit`))).toEqual([409, 'run_not_started'])
  })
})

test('one more run than a workflow allows is refused', async () => {
  const { run_id } = await platform.submit({ workflow: 'single' })
  const more = await platform.send('POST', '/api/v1/jobs', { payload: { workflow: 'single' } })
  expect(statusAndCode(more)).toEqual([409, 'run_concurrency_reached'])
  expect((await post(`${run_id}/cancel`)).statusCode).toBe(200)
})

describe('what the engine refuses reaches the caller', () => {
  const refusals: [keyof Engine, string, ProblemCode, object?][] = [
    ['fork', 'fork', 'run_fork_unsupported', { from_step: 'Tell', new_job: true }],
    ['upgrade', 'upgrade', 'run_diverged'],
    ['update', 'update/setLimit', 'update_pending'],
  ]
  test.each(refusals)('%s', async (method, path, code, body) => {
    const { run_id } = await startTalk()
    const { engine } = platform
    const before = engine[method]
    Object.assign(engine, { [method]: () => Promise.reject(problem(code, { detail: 'Both sides.' })) })
    const answer = await post(`${run_id}/${path}`, body)
    Object.assign(engine, { [method]: before })
    expect(answer.json()).toMatchObject({ code, detail: 'Both sides.' })
  })
})

const changes = ['pause', 'resume', 'upgrade', 'budget', 'waitpoints/1'] as const

describe('rights', () => {
  test.each(changes)('%s is for who made the job', async (path) => {
    const { run_id } = await startTalk()
    const answer = await post(`${run_id}/${path}`, { tokens: 1 }, { as: 'other' })
    // A body that a route does not take is refused later than the person.
    const code = path === 'upgrade' ? 'request_invalid' : 'permission_denied'
    expect(answer.json().code).toBe(code)
  })

  test.each([...changes.slice(0, 3), 'fork', 'budget', 'query/limit', 'update/setLimit', 'waitpoints/1'])(
    '%s of a run that is not there is run_not_found',
    async (path) => {
      const bodies: Record<string, object> = { fork: { from_step: 'A' }, budget: { tokens: 1 } }
      expect(statusAndCode(await post(`${unknownId}/${path}`, bodies[path]))).toEqual([404, 'run_not_found'])
    },
  )

  test.each(['pause', 'upgrade', 'budget'])('%s of a run that ended is refused', async (path) => {
    const job = await finishTwice('Ann')
    const body = path === 'budget' ? { tokens: 1 } : undefined
    expect(statusAndCode(await post(`${job.run_id}/${path}`, body))).toEqual([409, 'run_ended'])
  })
})
