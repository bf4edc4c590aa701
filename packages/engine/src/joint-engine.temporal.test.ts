import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import { Client, Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { createEmbeddedEngine } from './embedded/embedded-engine.ts'
import { stepsFor, testClock } from './embedded/embedded-rig.ts'
import type { Engine } from './engine.ts'
import { testWorkflows } from './fixtures/catalogue.ts'
import { createJointEngine } from './joint-engine.ts'
import { type EngineRig, ended, gate, owner, plain, record, submit, until, waiting } from './suite/rig.ts'
import { createTemporalRig } from './temporal/temporal-rig.ts'

const address = inject('testTemporalAddress')
const arrival = gate()
const steps = {
  ...plain,
  Second: async (input: unknown) => {
    arrival.arrive()
    await arrival.opened
    return input
  },
}
let client: Client
let rig: EngineRig
let embedded: Engine
let joint: Engine
let stopping: AbortController
let running: Promise<void>

beforeAll(async () => {
  client = new Client({ connection: await Connection.connect({ address }) })
})
afterAll(() => client.connection.close())

beforeEach(async () => {
  const store = await openStore({ dataDir: ':memory:' })
  rig = await createTemporalRig({ store, address, client, steps: plain })
  const dir = await mkdtemp(join(tmpdir(), 'kyros-joint-'))
  embedded = await createEmbeddedEngine({
    ...{ store, workflows: testWorkflows, steps: stepsFor(testWorkflows, steps), clock: testClock },
    ...{ workspaceDir: join(dir, 'workspaces'), cacheDir: join(tmpdir(), 'kyros-engine-test-cache') },
    waitpointKeys: [{ id: 'suite-01', key: new Uint8Array(32).fill(7) }],
    log: () => {},
  })
  stopping = new AbortController()
  running = embedded.run(stopping.signal)
  joint = createJointEngine({ embedded, temporal: rig.engine, store })
})
afterEach(async () => {
  stopping.abort()
  await running
  await rig.stop()
})

const through = (engine: Engine): EngineRig => ({ ...rig, engine })

test('a run that is under way drains on its engine, and what begins meanwhile is on Temporal', async () => {
  const old = await submit(through(embedded), 'sequence', 1)
  await arrival.came
  const young = await submit(through(joint), 'sequence', 2)
  expect((await ended(rig, young)).engine).toBe('temporal')
  expect(joint.health()).toMatchObject({ details: { embedded: { active_runs: 1 }, temporal: {} } })
  arrival.open()
  const { engine, status, job_id: jobId } = await ended(rig, old)
  expect([engine, status]).toEqual([undefined, 'completed'])
  const runId = rig.newId()
  await joint.retry(jobId, { runId, principal: owner, timeMs: Date.now() })
  expect(await ended(rig, runId)).toMatchObject({ engine: 'temporal', status: 'completed', attempt: 2 })
  const [forked, timeMs] = [rig.newId(), Date.now()]
  await joint.fork(old, { fromStep: 'Third', runId: forked, principal: owner, timeMs })
  expect(await ended(rig, forked)).toMatchObject({ engine: 'temporal', result: [1, 1, 1] })
})

test('what is done to a run reaches the engine of the run', async () => {
  const pair = [
    await submit(through(embedded), 'collecting', { count: 3 }),
    await submit(through(joint), 'collecting', { count: 3 }),
  ]
  for (const runId of pair) {
    await waiting(rig, runId, 'signal')
    expect((await joint.why(runId)).waits_for[0]?.kind).toBe('signal')
    await joint.pause(runId, owner)
    await until(
      () => record(rig, runId),
      ({ paused }) => paused === true,
    )
    await joint.resume(runId, owner)
    await joint.cancel(runId, 'enough', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
  }
})
