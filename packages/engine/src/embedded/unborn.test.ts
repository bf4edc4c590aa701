import { problem } from '@kyros/contract/problem'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { expect, test } from 'vitest'
import { ended, owner, submissionOf, submit, until } from '../suite/rig.ts'
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
