import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@kyros/kernel/clock'
import type { DatabaseTarget } from '@kyros/store/session'
import { failureOf } from '../command-line/failure.ts'
import { plainScheme } from '../compose/plain-scheme.ts'
import { listenFault } from '../connect/listen-fault.ts'
import { type Check, connectFault, type Finding } from './check.ts'

const redisPort = 6379
const postgresPort = 5432
const warnedPorts = { optional: 'warning', needed: 'fault' } as const

export const ports: Check = async ({ config, serverUrl }) => {
  const { host, port, metrics_port: metricsPort, enable_metrics: hasMetrics } = config.server
  if (serverUrl !== undefined) {
    return [{ name: 'port', status: 'ok', detail: `Kyros runs on ${serverUrl}` }]
  }
  const findings = [await portFinding('port', host, port, 'needed', '`kyros up --port <another>`')]
  if (hasMetrics && metricsPort !== 0) {
    const mend = 'Set KYROS_METRICS_PORT=0, or to another port.'
    findings.push(await portFinding('metrics port', '127.0.0.1', metricsPort, 'optional', mend))
  }
  return findings
}

export const database: Check = async ({ config, dataDir, serverUrl }) => {
  const name = 'database'
  const { url } = config.database
  if (url === undefined) {
    const isMade = dataDir !== undefined && existsSync(join(dataDir, 'kyros.db'))
    const fault = isMade ? await contentFault({ dataDir }) : undefined
    return [fault ?? { name, status: 'ok', detail: 'SQLite in the data directory' }]
  }
  const { hostname, port } = addressOf(url, postgresPort)
  const fault = await connectFault(hostname, port)
  if (fault !== undefined) {
    const mend = `pg_isready -h ${hostname} -p ${port}  (start PostgreSQL, or mend DATABASE_URL)`
    return [{ name, status: 'fault', detail: `PostgreSQL at ${hostname}:${port}: ${fault}`, mend }]
  }
  const wrong = await contentFault({ dataDir: dataDir ?? '', databaseUrl: plainScheme(url) })
  if (wrong !== undefined) return [wrong]
  const used = serverUrl === undefined ? '' : ', in use'
  return [{ name, status: 'ok', detail: `PostgreSQL answers at ${hostname}:${port}${used}` }]
}

/** That something answers is not enough: the database must let us in, be whole, and not be of a newer Kyros. */
async function contentFault(target: DatabaseTarget): Promise<Finding | undefined> {
  const name = 'database'
  const status = 'fault'
  try {
    const { migrationStatus } = await import('@kyros/store/migrate')
    const { schemaVersion } = await import('@kyros/store/migrations/migrations')
    const newest = Math.max(0, ...(await migrationStatus(target)).map(({ version }) => version))
    if (newest <= schemaVersion) return undefined
    const detail = `belongs to a newer Kyros (schema ${newest}; this one knows ${schemaVersion})`
    return { name, status, detail, mend: 'Start that one, or choose another database or --data.' }
  } catch (error) {
    const [detail = '', mend = ''] = failureOf(error).lines
    return { name, status, detail, mend }
  }
}

export const redis: Check = async ({ config }) => {
  const address = config.redis.url ?? config.redis.addr
  if (address === undefined) return []
  return [await optionalServer('redis', address, redisPort)]
}

/** Asks the cluster itself: that something listens says nothing of certificates, keys, namespaces and versions. */
export const temporal: Check = async ({ config, directory }) => {
  const name = 'temporal'
  if (config.temporal.host_port === undefined) return []
  const { temporalTargetOf } = await import('../compose/temporal-target.ts')
  try {
    const target = temporalTargetOf(config, directory)
    if (target === undefined) return []
    const { connectTemporal } = await import('@kyros/engine/temporal/connection')
    const connection = connectTemporal(target, { log: () => {}, clock: systemClock })
    const state = await connection.check()
    await connection.close()
    if (state.status !== 'healthy') {
      const { what, mend } = state.status === 'faulty' ? state : unchecked
      return [{ name, status: 'fault', detail: what, mend }]
    }
    const { serverVersion } = state
    const detail = `server ${serverVersion} answers at ${target.address}, namespace ${target.namespace}`
    return [{ name, status: 'ok', detail }]
  } catch (error) {
    const [detail = '', mend = ''] = failureOf(error).lines
    return [{ name, status: 'fault', detail, mend }]
  }
}

const unchecked = { what: 'Temporal was not asked.', mend: 'Call `kyros doctor` again.' }

async function optionalServer(name: string, address: string, defaultPort: number): Promise<Finding> {
  const { hostname, port } = addressOf(address, defaultPort)
  const fault = await connectFault(hostname, port)
  if (fault === undefined) return { name, status: 'ok', detail: `answers at ${hostname}:${port}` }
  const mend = `Start it, or remove ${name}.* from the configuration: this version does not use it yet.`
  return { name, status: 'warning', detail: `${hostname}:${port}: ${fault}`, mend }
}

async function portFinding(
  name: string,
  host: string,
  port: number,
  need: keyof typeof warnedPorts,
  mend: string,
): Promise<Finding> {
  const fault = await listenFault(host, port)
  return fault === undefined
    ? { name, status: 'ok', detail: `${port} is free` }
    : { name, status: warnedPorts[need], detail: `${host}:${port}: ${fault}`, mend }
}

/** Host and port of a URL or of `host:port`. */
function addressOf(text: string, defaultPort: number): { hostname: string; port: number } {
  const address = text.includes('://') ? text.replace(/^[a-z0-9+.-]+:/i, 'http:') : `http://${text}`
  const url = URL.parse(address)
  return { hostname: url?.hostname || 'localhost', port: Number(url?.port || defaultPort) }
}
