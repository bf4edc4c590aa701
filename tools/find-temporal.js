// Tests of the Temporal engine need a server: one that runs, a `temporal` on PATH, or one that Go built here before.
// Plain JavaScript for Node 20 and later, like everything that `npm test` begins with; this only looks, it builds nothing.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { root } from './runtime.js'

/**
 * Where a server comes from. `build`: Go is here and nothing is built yet. `none`: nothing is possible, `reason` says why.
 * @typedef {{kind: 'address', address: string}} AddressSource
 * @typedef {{kind: 'binary', path: string}} BinarySource
 * @typedef {{kind: 'build', go: string, path: string}} BuildSource
 * @typedef {{kind: 'none', reason: string}} NoSource
 * @typedef {Record<string, string | undefined>} Environment
 */

/** The module that pins the CLI. */
export const moduleDirectory = join(root, 'tools', 'temporal-dev')

const askTimeoutMs = 10_000
/** The first server that has everything the engine asks for switched on. */
const oldestServer = [1, 29]
/** From here on Go fetches by itself the toolchain that a module wants. */
const oldestGo = [1, 21]

const ways =
  'set TEMPORAL_ADDRESS=host:port, put `temporal` on PATH, or install Go 1.21 or newer and run `npm run temporal-dev -- --build` (minutes, once)'

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** @param {string} name @param {Environment} env */
function findOnPath(name, env) {
  const directories = (env.PATH ?? '').split(delimiter).filter(Boolean)
  return directories.map((directory) => join(directory, name)).find(isExecutable)
}

/** @param {string} command @param {string[]} args @param {Environment} env */
function ask(command, args, env) {
  const answer = spawnSync(command, args, { env, cwd: tmpdir(), encoding: 'utf8', timeout: askTimeoutMs })
  return answer.status === 0 ? answer.stdout : ''
}

/**
 * The two leading numbers of a version, or undefined when there are none.
 * @param {string} text @param {RegExp} pattern
 */
function readVersion(text, pattern) {
  const found = pattern.exec(text)
  return found ? [Number(found[1]), Number(found[2])] : undefined
}

/** @param {number[]} version @param {number[]} oldest */
function isOlder([major = 0, minor = 0], [oldestMajor = 0, oldestMinor = 0]) {
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
}

/**
 * Where a built CLI is kept: outside of the repository, so that every checkout of one state shares it.
 * @param {Environment} env
 */
export function cachedTemporal(env) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const name of ['go.mod', 'go.sum']) hash.update(readFileSync(join(moduleDirectory, name)))
  const cache = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache')
  return join(cache, 'kyros', `temporal-${hash.digest('hex').slice(0, 16)}`, 'temporal')
}

/**
 * A `temporal` on PATH, or why it does not do; a version that it does not tell is taken.
 * @param {Environment} env
 */
function findInstalled(env) {
  const path = findOnPath('temporal', env)
  if (!path) return {}
  const version = readVersion(ask(path, ['--version'], env), /Server (\d+)\.(\d+)/)
  if (!version || !isOlder(version, oldestServer)) return { path }
  return {
    refusal: `${path} brings server ${version.join('.')}, and ${oldestServer.join('.')} or newer is needed`,
  }
}

/**
 * A Go that can build the CLI, or why there is none.
 * @param {Environment} env
 */
function findGo(env) {
  const path = findOnPath('go', env)
  if (!path) return { refusal: 'there is no Go on PATH' }
  const version = readVersion(ask(path, ['version'], { ...env, GOTOOLCHAIN: 'local' }), /go(\d+)\.(\d+)/)
  if (!version) return { refusal: `${path} does not tell its version` }
  if (!isOlder(version, oldestGo)) return { path }
  return { refusal: `${path} is Go ${version.join('.')}, and ${oldestGo.join('.')} or newer is needed` }
}

/**
 * A Temporal server or the CLI to start one with, in this order: TEMPORAL_ADDRESS, `temporal` on PATH, what was built
 * before, Go to build it.
 * @param {Environment} env
 * @returns {AddressSource | BinarySource | BuildSource | NoSource}
 */
export function findTemporal(env = process.env) {
  if (env.TEMPORAL_ADDRESS) return { kind: 'address', address: env.TEMPORAL_ADDRESS }
  const installed = findInstalled(env)
  if (installed.path) return { kind: 'binary', path: installed.path }
  const path = cachedTemporal(env)
  if (isExecutable(path)) return { kind: 'binary', path }
  const go = findGo(env)
  if (go.path) return { kind: 'build', go: go.path, path }
  return { kind: 'none', reason: [installed.refusal, go.refusal].filter(Boolean).join('; ') }
}

/**
 * What stands in the way of the tests with Temporal, with what removes it; undefined when they can run at once.
 * @param {AddressSource | BinarySource | BuildSource | NoSource} source
 */
export function temporalObstacle(source) {
  if (source.kind === 'none') return `no Temporal server (${source.reason}): ${ways}`
  if (source.kind !== 'build') return undefined
  return `no Temporal server is built yet: \`npm run temporal-dev -- --build\` does it with ${source.go} (minutes, once), or set TEMPORAL_ADDRESS=host:port`
}
