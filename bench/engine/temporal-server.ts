import { join } from 'node:path'
import { findTemporal, temporalObstacle } from '../../tools/find-temporal.js'
import { buildTemporal } from '../../tools/temporal-dev-build.ts'
import { readServerVersion, startTemporal } from '../../tools/temporal-dev-server.ts'

/** What a production cluster is given by its operator: no limit is reached that is there to protect a tenant. */
const settings = [
  ...['frontend.rps', 'frontend.namespaceRPS', 'frontend.namespaceCount', 'matching.rps', 'history.rps'],
  ...['frontend', 'matching', 'history'].map((service) => `${service}.persistenceMaxQPS`),
  ...['transfer', 'timer', 'visibility'].map((queue) => `history.${queue}ProcessorMaxPollRPS`),
].map((key) => `${key}=1000000`)

/** Durable, and faster than the dev server's rollback journal: SQLite as Kyros uses it. */
const pragmas = ['journal_mode=WAL', 'synchronous=FULL']

export type TemporalServer = { address: string; version: string; close(): Promise<void> }

/** Finds or builds the server; the first build takes minutes. Undefined, with a line that says why, where there is none. */
export async function findTemporalServer(
  say: (line: string) => void,
): Promise<((directory: string) => Promise<TemporalServer>) | undefined> {
  const source = findTemporal()
  if (source.kind === 'none') {
    say(`Temporal is left out: ${temporalObstacle(source)}`)
    return undefined
  }
  if (source.kind === 'address') {
    const { address } = source
    return async () => ({ address, version: await readServerVersion(address), close: async () => {} })
  }
  if (source.kind === 'build') await buildTemporal(source, process.env, say)
  return async (directory) => {
    const dbPath = join(directory, 'temporal.db')
    const server = await startTemporal({ path: source.path, dbPath, settings, pragmas })
    return { address: server.address, version: server.version, close: server.stop }
  }
}
