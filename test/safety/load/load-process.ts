// A process that a test kills: serves an engine under load and writes down what was acknowledged to it, what its
// steps did, and what it read from the log. Ends when its parent does. `clock <ms>` on stdin moves the engine's clock.
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { createEmbeddedEngine } from '@kyros/engine/embedded/embedded-engine'
import { openStore } from '@kyros/store/open-store'
import { createLoad } from './create-load.ts'
import { loadCatalogue } from './plan.ts'
import { createRandom } from './random.ts'
import { openRecords } from './records.ts'
import { createSteps } from './steps.ts'

export type LoadOptions = {
  dataDir: string
  databaseUrl?: string
  /** Where bundles and workspaces go. */
  scratchDir: string
  recordFile: string
  seed: number
  /** Runs that are open at once; 0: nothing new is started, and the process says `settled` when all have ended. */
  openRuns: number
  /** Starts no more than so many runs, then settles. */
  maxRuns?: number
  leaseTtlMs?: number
  /** How long a run may take. */
  timeoutSeconds?: number
}

// The parent wrote it with these very types.
const options: LoadOptions = JSON.parse(process.argv[2] ?? '{}')
process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL'))
let offsetMs = 0
const nowMs = () => Date.now() + offsetMs
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line.startsWith('clock ')) offsetMs = Number(line.slice('clock '.length))
})
const say = (line: string) => process.stdout.write(`${line}\n`)
const log = (level: string, message: string) => {
  if (level === 'error') process.stderr.write(`${message}\n`)
}

const random = createRandom(options.seed)
const records = openRecords(options.recordFile)
const { dataDir, databaseUrl } = options
const store = await openStore({ dataDir, log, ...(databaseUrl !== undefined && { databaseUrl }) })
say('open')
const engine = await createEmbeddedEngine({
  store,
  workflows: loadCatalogue,
  steps: createSteps(records.note, random, nowMs),
  clock: { nowMs, sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}) },
  workspaceDir: `${options.scratchDir}/workspaces`,
  cacheDir: `${options.scratchDir}/cache`,
  maxAttempts: 64,
  ...(options.leaseTtlMs !== undefined && { leaseTtlMs: options.leaseTtlMs }),
  log,
})
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
const running = engine.run(stop.signal)
const load = createLoad({ store, engine, records, random, options, say, signal: stop.signal, nowMs })
await load.run()
await running
await store.close()
records.close()
process.exit(0)
