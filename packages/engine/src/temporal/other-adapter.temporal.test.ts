import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import { expect, inject, test } from 'vitest'
import { prepareDefinitions } from '../definitions/definitions.ts'
import { newId, stepsFor, testClock } from '../embedded/embedded-rig.ts'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { plain, until } from '../suite/rig.ts'
import { adapterHash } from './adapter-hash.ts'
import { codeOf } from './build-code.ts'
import { countRunsOf } from './build-runs.ts'
import { buildOf, definitionsOf, storeBuild } from './builds.ts'
import { bundleWorkflows } from './bundle-workflows.ts'
import { Cluster } from './cluster.ts'
import { createTemporalWorker } from './temporal-worker.ts'

const namespace = 'default'

test('a run of another Kyros waits, visibly, until its code is here, and then goes on with that', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-adapter-'))
  const store = await openStore({ dataDir: ':memory:' })
  const connection = await NativeConnection.connect({ address: inject('testTemporalAddress') })
  const taskQueue = `test-${newId()}`
  const workflows = [testWorkflow('sequence')]
  const { startable } = await prepareDefinitions({ store, workflows, cacheDir: dir, nowMs: () => 1 })
  const theirs = buildOf({ sequence: startable.get('sequence')?.hash ?? '' }, `another adapter ${newId()}`)
  await storeBuild(store, theirs, 1)
  const client = new Client({ connection })
  const cluster = new Cluster({ client: async () => client, namespace, taskQueue })
  const worker = createTemporalWorker({
    ...{ store, namespace, taskQueue, clock: testClock, cacheDir: dir, workspaceDir: dir, log: () => {} },
    ...{ lookEveryMs: 60_000, abortGraceMs: 50, connect: async () => connection },
    steps: stepsFor(workflows, plain),
  })
  const stopping = new AbortController()
  const running = worker.run(stopping.signal)
  const runId = newId()
  try {
    const started = { attempt: 1, version: '1.0.0' }
    const first = { workflow: 'sequence', input: 'in', started, timeoutSeconds: 60, priority: 3 }
    await cluster.start({ ...first, runId, buildId: theirs.id })
    expect(await worker.serves(theirs.id)).toBe(false)
    expect(worker.health().last_error).toContain('another version of Kyros')
    expect(await cluster.unservedBuild(runId, 5_000)).toBe(theirs.id)
    await until(
      () => countRunsOf(connection, namespace, theirs.id),
      (runs) => runs === 1,
    )

    // As a worker of that Kyros keeps it.
    const bundle = async () => {
      const definitions = await definitionsOf(store, theirs)
      return bundleWorkflows(
        definitions.map((one) => ({ ...one, source: one.source.replace('.Second(', '.CleanUp(') })),
      )
    }
    await codeOf(store, { ...theirs, adapter: await adapterHash() }, { bundle, nowMs: () => 1 })
    expect(await worker.serves(theirs.id)).toBe(true)
    const handle = client.workflow.getHandle(runId)
    expect(await handle.result()).toEqual(['in', 'in', 'in'])
    const { events } = await handle.fetchHistory()
    // What this Kyros would bundle does another step.
    expect(
      events?.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []),
    ).toEqual(['First', 'CleanUp', 'Third'])
    expect(await cluster.unservedBuild(runId, 5_000)).toBeUndefined()
    await until(
      () => countRunsOf(connection, namespace, theirs.id),
      (runs) => runs === 0,
    )
  } finally {
    stopping.abort()
    await running
    await connection.close()
    await store.close()
    await rm(dir, { recursive: true })
  }
})
