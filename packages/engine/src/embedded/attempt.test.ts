import { setTimeout as delay } from 'node:timers/promises'
import { problem } from '@kyros/contract/problem'
import { afterEach, expect, test } from 'vitest'
import { Attempt, type AttemptEnd, type AttemptLimits, errorData, type StepFunction } from './attempt.ts'
import { testClock } from './embedded-rig.ts'
import { createTimers } from './timers.ts'

const timers = createTimers(testClock)
afterEach(() => {
  expect(timers.size).toBe(0)
})

const limits: AttemptLimits = { startToCloseMs: 5000, heartbeatMs: undefined }

function attempt(implementation: StepFunction, change: Partial<AttemptLimits> = {}) {
  const { promise: ended, resolve } = Promise.withResolvers<AttemptEnd>()
  const parts = { timers, clock: testClock, abortGraceMs: 20 }
  const live = new Attempt(parts, { ...limits, ...change }, resolve)
  live.run(implementation, 1, {
    runId: 'r',
    step: 's',
    attempt: 1,
    idempotencyKey: 'r/s',
    workspace: '/nowhere',
    principal: { id: 'u', role: 'viewer' },
    artifacts: { put: async () => ({ name: '', sha256: '', bytes: 0 }), get: async () => undefined },
    stream: { write: async () => {} },
    log: () => {},
    heartbeat: (details) => live.beat(details),
    get signal() {
      return live.signal
    },
  })
  return { live, ended }
}

test('an implementation that throws at once is a failed attempt', async () => {
  const implementation = () => {
    throw new Error('at once')
  }
  expect(await attempt(implementation).ended).toMatchObject({
    kind: 'failed',
    error: { message: 'at once' },
  })
})

test('an aborted attempt that ignores its signal is given up after the grace', async () => {
  const one = attempt(() => new Promise(() => {}))
  one.live.abort(new Error('stop'))
  one.live.abort(new Error('stop again'))
  expect(await one.ended).toEqual({ kind: 'failed', error: { code: 'step_aborted', message: 'stop' } })
})

test('what an aborted attempt still returns does not count', async () => {
  const implementation = async () => {
    await delay(5)
    return 'too late'
  }
  const one = attempt(implementation)
  one.live.abort(new Error('stop'))
  expect((await one.ended).kind).toBe('failed')
})

test('a signal that is first asked for after the abort is aborted', async () => {
  let isAborted: boolean | undefined
  const { live, ended } = attempt(async (_input, context) => {
    await delay(1)
    isAborted = context.signal.aborted
    return null
  })
  live.abort(new Error('stop'))
  await ended
  expect(isAborted).toBe(true)
})

test('the last heartbeat is the progress, and one after the end does nothing', async () => {
  let beat: ((details: number) => void) | undefined
  const implementation: StepFunction = async (_input, { heartbeat }) => {
    beat = heartbeat
    heartbeat(1)
    heartbeat(2)
    return null
  }
  const one = attempt(implementation, { heartbeatMs: 1000 })
  await one.ended
  expect(one.live.progress).toBe(2)
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
