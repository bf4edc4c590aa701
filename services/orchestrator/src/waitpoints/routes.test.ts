import type { Job } from '@kyros/contract/job'
import type { Run } from '@kyros/contract/run'
import { systemClock } from '@kyros/kernel/clock'
import { createRateLimiter } from '@kyros/kernel/rate-limit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

/** A run that waits for an answer, with the token that it gave to its step. */
async function ask(): Promise<{ job: Job; run: Run; token: string }> {
  const { id } = await platform.submit({ workflow: 'talk' })
  const job = await platform.awaitJob(id, ({ reason }) => reason === 'waitpoint')
  const run = (await platform.get(`/api/v1/workflows/${job.run_id}`)).json<Run>()
  const told = run.steps.find(({ name }) => name === 'Tell')?.input
  const token = typeof told === 'object' && told !== null && 'text' in told ? String(told.text) : ''
  return { job, run, token }
}

const look = (token: string) => platform.get(`/api/v1/waitpoints/${token}`, { as: 'nobody' })
const answer = (token: string, payload: object, headers = {}) =>
  platform.send('POST', `/api/v1/waitpoints/${token}`, { as: 'nobody', payload, headers })

describe('who has the token of a waitpoint', () => {
  test('may look at the question and answer it once, without an account', async () => {
    const { job, token } = await ask()
    const open = await look(token)
    expect(open.statusCode).toBe(200)
    expect(open.json()).toEqual({ name: 'approve', title: 'Ship it?', is_open: true, expires_at: null })
    expect(open.headers['cache-control']).toContain('no-store')
    // A link in a mail is opened on whatever site the person is.
    const crossSite = { origin: 'https://mail.example', 'sec-fetch-site': 'cross-site' }
    expect((await answer(token, { ok: true }, crossSite)).statusCode).toBe(200)
    expect(await platform.awaitEnd(job.id)).toMatchObject({ result: { ok: true, limit: 1 } })
    expect((await look(token)).json()).toMatchObject({ is_open: false })
    expect((await answer(token, { ok: true })).statusCode).toBe(200)
    const other = await answer(token, { ok: false })
    expect([other.statusCode, other.json().code]).toEqual([409, 'waitpoint_closed'])
  })

  test('is told nothing when it is wrong', async () => {
    const { token, run } = await ask()
    const forged = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`
    for (const wrong of [forged, 'nonsense', `${run.id}.1.x`, '0'.repeat(256)]) {
      for (const refused of [await look(wrong), await answer(wrong, { ok: true })]) {
        expect([refused.statusCode, refused.json().code]).toEqual([404, 'waitpoint_token_invalid'])
        expect(refused.body).not.toContain(run.id)
      }
    }
  })
})

test('an address that guesses too often is turned away before its right guess', async () => {
  const { token } = await ask()
  const { edge } = platform.app
  const limiter = createRateLimiter({ calls: 5, windowMs: 60_000 }, systemClock)
  const before = edge.limiter
  // Only guesses are counted here: the calls themselves have a limit of their own.
  Object.assign(edge, {
    limiter: {
      ...limiter,
      take: (key: string) => (key.includes('guesses') ? limiter.take(key) : limiter.peek('free')),
    },
  })
  for (let guess = 0; guess < 5; guess++) expect((await look('wrong')).statusCode).toBe(404)
  const late = await answer(token, { ok: true })
  Object.assign(edge, { limiter: before })
  expect([late.statusCode, late.json().code]).toEqual([429, 'rate_limit_exceeded'])
  expect((await look(token)).json()).toMatchObject({ is_open: true })
})

describe('who may act on the run', () => {
  test('answers without a token, by the number of the step', async () => {
    const { job, run } = await ask()
    const command = run.steps.find(({ kind }) => kind === 'waitpoint')?.command ?? 0
    const path = `/api/v1/workflows/${run.id}/waitpoints`
    const other = run.steps.find(({ kind }) => kind === 'step')?.command
    const none = await platform.send('POST', `${path}/${other}`, { payload: { ok: true } })
    expect([none.statusCode, none.json().code]).toEqual([404, 'waitpoint_not_found'])
    const taken = await platform.send('POST', `${path}/${command}`, { payload: { ok: false } })
    expect(taken.json()).toEqual({ message: 'The answer to approve is taken.' })
    expect(await platform.awaitEnd(job.id)).toMatchObject({ result: { ok: false } })
  })
})
