// The real thing starts with each source's configuration as it stands; only the placeholder database is replaced.
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { createDatabase, dropDatabase } from '@kyros/store/suite/postgres-database'
import { expect, onTestFinished, test } from 'vitest'
import { spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const fixtures = join(import.meta.dirname, 'fixtures')
const timeout = 60_000

type Source = { file: string; as: string }

test.each<Source>([
  { file: 'config.yaml', as: 'config.yaml' },
  { file: 'config.yaml', as: 'kyros.yaml' },
  { file: 'environment.env', as: '.env' },
  { file: 'environment-production.env', as: 'environment' },
  { file: 'orchestrator.env', as: 'environment' },
])('starts with $file, $as, on PostgreSQL', { timeout }, async ({ file, as }) => {
  const cwd = temporaryDirectory()
  const given = join(fixtures, file)
  const isEnvironment = as === 'environment'
  if (!isEnvironment) copyFileSync(given, join(cwd, as))
  const env = isEnvironment ? parseEnv(readFileSync(given, 'utf8')) : {}
  const database = await createDatabase()
  onTestFinished(() => dropDatabase(database))
  const words = ['up', '--no-welcome', '--port', '0', '--host', '127.0.0.1', '--database-url', database]
  const server = spawnKyros(words, { cwd, env: onlyTexts(env) })
  const url = await server.ready()
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok', ok: true })
  expect(server.output()).toContain('Database  postgres')
  server.child.kill('SIGTERM')
  expect(await server.exited).toBe(0)
})

function onlyTexts(env: NodeJS.Dict<string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
