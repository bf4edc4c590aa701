import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { startPostgres } from '../../../tools/test-postgres.ts'

const upMs = 30_000

export type Databases = {
  /** Makes an empty database; returns its URL. */
  create(): Promise<string>
  drop(url: string): Promise<void>
  /** Ends the server, if it was started for this. */
  stop(): Promise<void>
}

/** The server that KYROS_TEST_DATABASE_URL names, or one of its own. */
export async function startDatabases(): Promise<Databases> {
  const given = process.env.KYROS_TEST_DATABASE_URL
  return given ? databasesOn({ url: given, stop: async () => {} }) : databasesOn(await startPostgres())
}

export type OwnDatabases = Databases & {
  /** Stops the server, orderly (SIGINT) or at once (SIGQUIT), and starts it on the same data after `downMs`. */
  restart(how: 'SIGINT' | 'SIGQUIT', downMs: number): Promise<void>
}

/** A server of its own, because somebody else's may not be stopped. */
export async function startOwnDatabases(): Promise<OwnDatabases> {
  const server = await startPostgres()
  const databases = databasesOn(server)
  const data = String((await query(server.url, 'SHOW data_directory'))[0]?.data_directory)
  let again: ChildProcess | undefined
  return {
    ...databases,
    restart: async (how, downMs) => {
      await endServer(data, how)
      await delay(downMs)
      again = startAgain(data)
      await untilItAnswers(server.url)
    },
    stop: async () => {
      // Its guard removes the directory, so the one that was started on it goes first.
      if (again !== undefined) await endServer(data, 'SIGQUIT')
      await server.stop()
    },
  }
}

function databasesOn(server: { url: string; stop: () => Promise<void> }): Databases {
  return {
    create: async () => {
      const name = `kyros_${randomUUID().replaceAll('-', '')}`
      await query(server.url, `CREATE DATABASE ${name}`)
      const url = new URL(server.url)
      url.pathname = `/${name}`
      return url.href
    },
    drop: async (url) => {
      await query(server.url, `DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`)
    },
    stop: () => server.stop(),
  }
}

async function query(url: string, sql: string): Promise<{ [column: string]: unknown }[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** The server's own file names its process. */
async function endServer(data: string, how: NodeJS.Signals): Promise<void> {
  const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
  const untilMs = Date.now() + upMs
  process.kill(pid, how)
  while (isAlive(pid)) {
    if (Date.now() > untilMs) throw new Error('PostgreSQL does not stop')
    await delay(10)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false
  } catch {
    return false
  }
}

/** It dies with this process, because the pipe closes. */
function startAgain(data: string): ChildProcess {
  const { uid, gid } = statSync(data)
  const options = readFileSync(join(data, 'postmaster.opts'), 'utf8').trim()
  const guard = `${options} </dev/null & server=$!; cat >/dev/null; kill -QUIT $server 2>/dev/null; wait $server`
  const isRoot = process.getuid?.() === 0
  return spawn('sh', ['-c', guard], {
    ...(isRoot && { uid, gid }),
    cwd: dirname(data),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
}

async function untilItAnswers(url: string): Promise<void> {
  const untilMs = Date.now() + upMs
  for (;;) {
    try {
      await query(url, 'SELECT 1')
      return
    } catch (error) {
      if (Date.now() > untilMs) throw error
      await delay(50)
    }
  }
}
