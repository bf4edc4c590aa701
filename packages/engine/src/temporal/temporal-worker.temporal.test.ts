import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import { NativeConnection } from '@temporalio/worker'
import { expect, inject, test, vi } from 'vitest'
import { prepareDefinitions } from '../definitions/definitions.ts'
import { newId, stepsFor, testClock } from '../embedded/embedded-rig.ts'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { adapterHash } from './adapter-hash.ts'
import { buildOf, storeBuild } from './builds.ts'
import { createTemporalWorker } from './temporal-worker.ts'

test('a worker lets go of a build that nobody needs any more, and forgets an error once all is well', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-worker-'))
  const store = await openStore({ dataDir: ':memory:' })
  const connection = await NativeConnection.connect({ address: inject('testTemporalAddress') })
  const workflows = [testWorkflow('sequence')]
  const { startable } = await prepareDefinitions({ store, workflows, cacheDir: dir, nowMs: () => 1 })
  const hash = startable.get('sequence')?.hash ?? ''
  const adapter = await adapterHash()
  const [old, broken] = [buildOf({ sequence: hash }, adapter), buildOf({ sequence: 'f'.repeat(64) }, adapter)]
  const next = buildOf({ again: hash, sequence: hash }, adapter)
  const worker = createTemporalWorker({
    ...{ store, clock: testClock, cacheDir: dir, workspaceDir: dir, log: () => {} },
    ...{ namespace: 'default', taskQueue: `test-${newId()}`, lookEveryMs: 20, abortGraceMs: 50 },
    connect: async () => connection,
    steps: stepsFor(workflows, {}),
  })
  const stopping = new AbortController()
  const running = worker.run(stopping.signal)
  try {
    await storeBuild(store, old, 1)
    await vi.waitFor(() => expect(worker.health().builds).toEqual([old.id]), 10_000)
    await storeBuild(store, broken, 2)
    await vi.waitFor(() => expect(worker.health().last_error).toMatch(/is not stored/), 10_000)
    await storeBuild(store, next, 3)
    await vi.waitFor(
      () => expect(worker.health()).toEqual({ builds: [next.id], running_attempts: 0 }),
      10_000,
    )
    expect(await worker.serves(old.id)).toBe(true)
    expect(worker.health().builds).toContain(old.id)
  } finally {
    stopping.abort()
    await running
    await connection.close()
    await store.close()
    await rm(dir, { recursive: true })
  }
})
