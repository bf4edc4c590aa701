import { problem } from '@kyros/contract/problem'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { expect, test } from 'vitest'
import { ended, eventTypes, owner, submissionOf, submit, until } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

/** Answers one submission late, and with an outage although it was carried out. */
function forgetful(store: Store) {
  const answer = Promise.withResolvers<void>()
  let isFirst = true
  const write: Store['write'] = async (command) => {
    const written = await store.write(command)
    if (command.kind !== 'submit_job' || !isFirst) return written
    isFirst = false
    await answer.promise
    throw problem('store_unavailable', { detail: 'The answer is lost.' })
  }
  return { store: { ...store, write }, answer: answer.resolve }
}

test('a run that is reached between its commit and the answer to it is taken up once, and ends', async () => {
  const { store, answer } = forgetful(await openStore({ dataDir: ':memory:' }))
  const steps = { First: async () => 1, Second: async () => 2, Third: async () => 3 }
  const rig = await createEmbeddedRig({ store, steps, maxAttempts: 1 })
  const submission = submissionOf(rig, 'sequence')
  const { runId } = submission
  const submitted = rig.engine.submit(submission)
  await until(
    () => rig.store.runs.get(runId),
    (run) => run !== undefined,
  )
  const signalled = rig.engine.signal(runId, 'go', null, owner)
  await new Promise((resolve) => setTimeout(resolve, 20))
  answer()
  await expect(submitted).rejects.toMatchObject({ code: 'store_unavailable' })
  await signalled
  expect((await ended(rig, runId)).status).toBe('completed')
  expect((await ended(rig, await submit(rig, 'sequence'))).status).toBe('completed')
  await rig.stop()
})

test('a run does not begin in the commit of a process that has lost the engine, and is announced instead', async () => {
  const inner = await openStore({ dataDir: ':memory:' })
  const timeMs = Date.now() + 3_600_000
  const write: Store['write'] = async (command) => {
    if (command.kind === 'submit_job' && 'epoch' in command)
      await inner.write({ kind: 'acquire_engine_lease', holder: 'another', timeMs, ttlMs: 60_000 })
    return inner.write(command)
  }
  const store: Store = { ...inner, dialect: 'postgres', write }
  const rig = await createEmbeddedRig({ store, steps: { First: async () => 1 } })
  await until(
    async () => rig.engine.health().details.holds_lease,
    (isHeld) => isHeld === true,
  )
  const runId = await submit(rig, 'sequence')
  expect(await eventTypes(rig, runId)).toEqual(['run.created'])
  expect((await inner.inbox.list(0, 10)).map(({ message }) => message)).toEqual([{ type: 'accept', runId }])
  await rig.stop()
})
