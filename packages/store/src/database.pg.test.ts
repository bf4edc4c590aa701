import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backup } from './backup.ts'
import { reset, rollback } from './migrate.ts'
import { openStore } from './open-store.ts'
import { restore } from './restore.ts'
import { testDatabase } from './suite/database.suite.ts'
import { createDatabase, dropDatabase } from './suite/postgres-database.ts'
import { startMs, submit } from './suite/rig.ts'

testDatabase({
  name: 'a PostgreSQL database',
  create: async () => ({ dataDir: ':memory:', databaseUrl: await createDatabase() }),
  remove: ({ databaseUrl }) => dropDatabase(databaseUrl ?? ''),
})

test('what takes data away is refused while an engine runs, unless it is meant', async () => {
  const target = { dataDir: ':memory:', databaseUrl: await createDatabase() }
  const dir = await mkdtemp(join(tmpdir(), 'kyros-in-use-'))
  const store = await openStore(target)
  await submit(store)
  await backup(target, join(dir, 'b'), startMs)
  const lease = { kind: 'acquire_engine_lease', holder: 'process 7 on there', ttlMs: 60_000 } as const
  await store.write({ ...lease, timeMs: Date.now() })
  const refused = { code: 'database_in_use', message: expect.stringContaining('process 7 on there') }
  const attempts = [
    (ignoreServers: boolean) => rollback(target, { nowMs: startMs, ignoreServers }),
    (ignoreServers: boolean) => reset(target, { nowMs: startMs, ignoreServers, isProduction: false }),
    (ignoreServers: boolean) =>
      restore(target, join(dir, 'b'), { nowMs: startMs, ignoreServers, force: true }),
  ]
  for (const attempt of attempts) await expect(attempt(false)).rejects.toMatchObject(refused)
  expect((await store.jobs.list({})).items).toHaveLength(1)
  for (const attempt of attempts) await attempt(true)
  await store.write({ ...lease, timeMs: Date.now() })
  await store.write({ kind: 'release_engine_lease', holder: lease.holder })
  await rollback(target, { nowMs: startMs })
  await store.close()
  await rm(dir, { recursive: true })
  await dropDatabase(target.databaseUrl)
})
