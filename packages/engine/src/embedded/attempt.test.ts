import { setTimeout as delay } from 'node:timers/promises'
import { problem } from '@kyros/contract/problem'
import { afterEach, expect, test } from 'vitest'
import { type AttemptOptions, errorData, startAttempt } from './attempt.ts'
import { testClock } from './embedded-rig.ts'
import { createTimers } from './timers.ts'

const timers = createTimers(testClock)
afterEach(() => {
  expect(timers.size).toBe(0)
})

function attempt(change: Partial<AttemptOptions>) {
  return startAttempt({
    implementation: async (input) => input,
    input: 1,
    createContext: (own) => ({
      ...own,
      runId: 'r',
      step: 's',
      attempt: 1,
      idempotencyKey: 'r/s',
      workspace: '/nowhere',
      principal: { id: 'u', role: 'viewer' },
      artifacts: { put: async () => ({ name: '', sha256: '', bytes: 0 }), get: async () => undefined },
      log: () => {},
    }),
    startToCloseMs: 5000,
    heartbeatMs: undefined,
    abortGraceMs: 20,
    timers,
    clock: testClock,
    ...change,
  })
}

test('an implementation that throws at once is a failed attempt', async () => {
  const implementation = () => {
    throw new Error('at once')
  }
  expect(await attempt({ implementation }).ended).toMatchObject({
    kind: 'failed',
    error: { message: 'at once' },
  })
})

test('an aborted attempt that ignores its signal is given up after the grace', async () => {
  const one = attempt({ implementation: () => new Promise(() => {}) })
  one.abort(new Error('stop'))
  one.abort(new Error('stop again'))
  expect(await one.ended).toEqual({ kind: 'failed', error: { code: 'step_aborted', message: 'stop' } })
})

test('what an aborted attempt still returns does not count', async () => {
  const implementation = async () => {
    await delay(5)
    return 'too late'
  }
  const one = attempt({ implementation })
  one.abort(new Error('stop'))
  expect((await one.ended).kind).toBe('failed')
})

test('the last heartbeat is the progress, and one after the end does nothing', async () => {
  let beat: ((details: number) => void) | undefined
  const one = attempt({
    heartbeatMs: 1000,
    implementation: async (_input, { heartbeat }) => {
      beat = heartbeat
      heartbeat(1)
      heartbeat(2)
      return null
    },
  })
  await one.ended
  expect(one.progress).toBe(2)
  beat?.(3)
})

test('errors say their code, whether to try again, and their cause, but no stack', () => {
  const cause = new Error('inner')
  expect(errorData(new Error('outer', { cause }))).toEqual({
    code: 'step_error',
    message: 'outer',
    retryable: true,
    cause: 'inner',
  })
  expect(errorData('a string')).toEqual({ code: 'step_error', message: 'a string', retryable: true })
  expect(errorData(problem('storage_full', { detail: 'no space' })).code).toBe('storage_full')
})
