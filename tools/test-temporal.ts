// Starts one throw-away Temporal server for the tests that need one, or takes the one that TEMPORAL_ADDRESS names.
import type { TestProject } from 'vitest/node'
import { findTemporal, temporalObstacle } from './find-temporal.js'
import { buildTemporal } from './temporal-dev-build.ts'
import { readServerVersion, startTemporal } from './temporal-dev-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of a Temporal server with the namespace `default`. Tests share it: task queues need names of their own. */
    testTemporalAddress: string
    /** The CLI that starts a server, for tests that need one of their own; empty where there is only an address. */
    testTemporalCli: string
  }
}

const say = (line: string) => process.stderr.write(`temporal: ${line}\n`)

/** The path of the CLI. Builds it only when nothing may be left out: nobody waits for minutes unasked. */
async function findCli(
  source: Exclude<ReturnType<typeof findTemporal>, { kind: 'address' }>,
): Promise<string> {
  const mayBuild = process.env.KYROS_TEST_REQUIRE_ALL === '1'
  if (source.kind === 'none' || (source.kind === 'build' && !mayBuild))
    throw new Error(temporalObstacle(source))
  if (source.kind === 'build') await buildTemporal(source, process.env, say)
  return source.path
}

/** Vitest's global set-up: provides `testTemporalAddress`. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const source = findTemporal()
  if (source.kind === 'address') {
    const version = await readServerVersion(source.address).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : error
      throw new Error(`No Temporal server serves at TEMPORAL_ADDRESS=${source.address}: ${why}`)
    })
    say(`tests use server ${version} at ${source.address}`)
    project.provide('testTemporalAddress', source.address)
    project.provide('testTemporalCli', '')
    return async () => {}
  }
  const path = await findCli(source)
  const server = await startTemporal({ path })
  project.provide('testTemporalCli', path)
  say(`tests use server ${server.version} at ${server.address}`)
  project.provide('testTemporalAddress', server.address)
  return server.stop
}
