import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cachedTemporal, findTemporal, temporalObstacle } from './find-temporal.js'

let directory: string
let env: Record<string, string>

/** A command that prints one line, whatever it is asked. */
function writeCommand(path: string, line: string) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho '${line}'\n`, { mode: 0o755 })
  return path
}

const onPath = (name: string, line: string) => writeCommand(join(directory, 'bin', name), line)
const oldTemporal = 'temporal version 0.13.0 (Server 1.24.2, UI 2.27.2)'
const newTemporal = 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)'

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kyros-find-temporal-'))
  env = { PATH: join(directory, 'bin'), XDG_CACHE_HOME: join(directory, 'cache') }
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('the server that TEMPORAL_ADDRESS names comes before all else', () => {
  onPath('temporal', newTemporal)
  const source = findTemporal({ ...env, TEMPORAL_ADDRESS: 'cluster:7233' })
  expect(source).toEqual({ kind: 'address', address: 'cluster:7233' })
  expect(temporalObstacle(source)).toBeUndefined()
})

test('a `temporal` on PATH comes before what was built', () => {
  writeCommand(cachedTemporal(env), newTemporal)
  const path = onPath('temporal', newTemporal)
  expect(findTemporal(env)).toEqual({ kind: 'binary', path })
})

test('a `temporal` that does not tell the version of its server is taken', () => {
  const path = onPath('temporal', 'temporal version DEV')
  expect(findTemporal(env)).toEqual({ kind: 'binary', path })
})

test('a `temporal` whose server is too old is passed over and named', () => {
  const path = onPath('temporal', oldTemporal)
  const source = findTemporal(env)
  expect(source).toMatchObject({ kind: 'none' })
  expect(temporalObstacle(source)).toContain(`${path} brings server 1.24, and 1.29 or newer is needed`)
  const built = writeCommand(cachedTemporal(env), newTemporal)
  expect(findTemporal(env)).toEqual({ kind: 'binary', path: built })
})

test('a directory or a file without the right to run it is no `temporal`', () => {
  mkdirSync(join(directory, 'bin', 'temporal'), { recursive: true })
  const path = cachedTemporal(env)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '', { mode: 0o644 })
  expect(findTemporal(env)).toMatchObject({ kind: 'none' })
})

test('Go builds what is neither on PATH nor built yet, in the cache outside of the repository', () => {
  const go = onPath('go', 'go version go1.21.13 linux/amd64')
  const source = findTemporal(env)
  expect(source).toEqual({ kind: 'build', go, path: cachedTemporal(env) })
  expect(cachedTemporal(env)).toMatch(/\/cache\/kyros\/temporal-[0-9a-f]{16}\/temporal$/)
  expect(cachedTemporal({ HOME: '/home/me' })).toMatch(/^\/home\/me\/\.cache\/kyros\/temporal-/)
  expect(temporalObstacle(source)).toContain('`npm run temporal-dev -- --build`')
})

test('a Go that cannot fetch the toolchain it needs is refused by its version', () => {
  const go = onPath('go', 'go version go1.19.8 linux/amd64')
  expect(temporalObstacle(findTemporal(env))).toContain(`${go} is Go 1.19, and 1.21 or newer is needed`)
})

test('without server, CLI and Go all three ways are named', () => {
  const obstacle = temporalObstacle(findTemporal(env))
  for (const part of [
    'there is no Go on PATH',
    'TEMPORAL_ADDRESS=host:port',
    '`temporal` on PATH',
    'Go 1.21',
  ])
    expect(obstacle).toContain(part)
})
