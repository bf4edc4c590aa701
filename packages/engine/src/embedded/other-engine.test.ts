import { setTimeout as delay } from 'node:timers/promises'
import type { NewRunEvent } from '@kyros/store/command'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EngineRig, ended, owner, plain, record, submissionOf, submit } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

// Longer than two sweeps of the rig, each of which looks for runs that were forgotten.
const sweepsMs = 700

let rig: EngineRig
let store: Store

beforeEach(async () => {
  store = await openStore({ dataDir: ':memory:' })
  rig = await createEmbeddedRig({ store, steps: plain })
})

afterEach(() => rig.stop())

/** A run of another engine, on a definition that this one could run as well. */
async function submitElsewhere(): Promise<string> {
  const known = await ended(rig, await submit(rig, 'sequence', 1))
  const { jobId, runId, title, projectId, timeMs } = submissionOf(rig, 'sequence', 1)
  const of = { workflow: 'sequence', createdBy: owner.id, createdMs: timeMs, input: 1 }
  const job = { ...of, id: jobId, title, task: null, agentId: null, projectId, metadata: {} }
  const { version, definition } = known
  const run = { ...of, id: runId, jobId, version, definition, attempt: 1, maxRetries: 0, timeoutSeconds: 60 }
  const created: NewRunEvent = {
    type: 'run.created',
    timeMs,
    data: {
      ...{
        workflow: run.workflow,
        version,
        definition,
        input: 1,
        priority: 'medium',
        attempt: 1,
        max_retries: 0,
      },
      ...{ timeout_seconds: 60, engine_flags: 0, sdk_version: '1', created_by: owner.id },
    },
  }
  await store.write({
    ...{ kind: 'submit_job', job: { ...job, priority: 'medium' }, events: [created], announce: true },
    run: { ...run, createdByRole: 'admin', engine: 'temporal' },
  })
  return runId
}

test('a run of another engine is not taken up, whether it is announced, forgotten or found at the start', async () => {
  const runId = await submitElsewhere()
  await delay(sweepsMs)
  await rig.restart()
  await ended(rig, await submit(rig, 'sequence', 1))
  expect(await record(rig, runId)).toMatchObject({ engine: 'temporal', status: 'pending', run_seq: 1 })
  expect(rig.engine.health().details.active_runs).toBe(0)
  expect((await store.inbox.list(0, 9, 'temporal')).map(({ message }) => message)).toEqual([
    { type: 'accept', runId },
  ])
})

test('a run of another engine says that its engine is not here', async () => {
  const runId = await submitElsewhere()
  const why = await rig.engine.why(runId)
  expect(why.waits_for).toMatchObject([
    {
      kind: 'engine',
      name: 'temporal',
      detail: 'this run is on Temporal, and this server has no temporal.host_port',
    },
  ])
  expect(why.what_would_move_it).toMatch(/^Start the server with temporal.host_port again/)
})

test('what is asked of a run of another engine is left to that one', async () => {
  const runId = await submitElsewhere()
  await rig.engine.cancel(runId, 'enough', owner)
  await rig.engine.signal(runId, 'add', 1, owner)
  const misled = { type: 'cancel', runId, reason: 'enough', actor: owner.id } as const
  await store.write({ kind: 'put_inbox', message: misled, timeMs: Date.now() })
  await ended(rig, await submit(rig, 'sequence', 1))
  const types = (await store.inbox.list(0, 9, 'temporal')).map(({ message }) => message.type)
  expect(types).toEqual(['accept', 'cancel', 'signal', 'cancel'])
  expect(await record(rig, runId)).toMatchObject({ cancel_requested: false, run_seq: 1 })
})
