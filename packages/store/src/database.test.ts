import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newMigration } from './migrate.ts'
import { testDatabase } from './suite/database.suite.ts'

testDatabase({
  name: 'a SQLite database',
  create: async () => ({ dataDir: await mkdtemp(join(tmpdir(), 'kyros-database-')) }),
  remove: ({ dataDir }) => rm(dataDir, { recursive: true }),
})

test('a new migration takes the next number and a name in words', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-migrations-'))
  newMigration('Add agents!', dir)
  const path = newMigration('give tasks a version', dir)
  expect(await readdir(dir)).toEqual(['0001-add-agents.ts', '0002-give-tasks-a-version.ts'])
  const text = await readFile(path, 'utf8')
  expect(text).toContain('export const giveTasksAVersion: Migration = {\n  version: 2,')
  expect(() => newMigration('42', dir)).toThrow('in words')
  await rm(dir, { recursive: true })
})
