// `npm run test:replicas -- --rounds N [--seed S]`: three orchestrators on one PostgreSQL; the one that holds the engine
// is killed, or paused, under load again and again. The last line is `R rounds, L lost, D doubled, takeover p50 X s, max Y s`.
import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isTerminal } from '@kyros/contract/run-status'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { startDatabases } from '../load/databases.ts'
import { createRandom } from '../load/random.ts'
import { parseRecords, type Record } from '../load/records.ts'
import { checkHistory } from '../model/check-history.ts'
import { addFindings, describe, isClean, noFindings } from '../model/findings.ts'
import { Follower } from './follow-log.ts'
import { createReplica, type Replica, signIn } from './replica.ts'
import { Submitters } from './submit-load.ts'

const replicaCount = 3
const maxTakeoverMs = 10_000
const patienceMs = 60_000

const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } })
const rounds = Number(values.rounds ?? 3)
const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('usage: npm run test:replicas -- --rounds N [--seed S]')
  process.exit(2)
}

const random = createRandom(seed)
const directory = mkdtempSync(join(tmpdir(), 'kyros-replicas-'))
const findings = noFindings()
const records: Record[] = []
const takeoversMs: number[] = []
console.log(`seed ${seed}`)
writeFileSync(join(directory, 'effects'), '')
const fixtures = fileURLToPath(new URL('./fixtures/workflows', import.meta.url))
const workflowsDir = join(directory, 'workflows')
cpSync(fixtures, workflowsDir, { recursive: true })

const databases = await startDatabases()
const databaseUrl = await databases.create()
const replicas: Replica[] = []
let done = 0
try {
  await startReplicas()
  await run()
} catch (error) {
  findings.wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  for (const replica of replicas) console.log(`── ${replica.origin}\n${replica.output.slice(-2_000)}`)
} finally {
  await Promise.all(replicas.map((replica) => replica.end('SIGKILL')))
  await databases.drop(databaseUrl)
  await databases.stop()
}
for (const line of describe(findings)) console.log(line)
if (isClean(findings)) rmSync(directory, { recursive: true, force: true })
else console.log(`what was found is kept in ${directory}`)
if (findings.wrong.length > 0) console.log(`${findings.wrong.length} wrong, see above`)
const sorted = takeoversMs.toSorted((one, other) => one - other)
const seconds = (ms: number | undefined) => `${((ms ?? Number.NaN) / 1000).toFixed(1)} s`
const takeover = `p50 ${seconds(sorted[Math.floor((sorted.length - 1) / 2)])}, max ${seconds(sorted.at(-1))}`
console.log(
  `${done} rounds, ${findings.lost.length} lost, ${findings.doubled.length} doubled, takeover ${takeover}`,
)
process.exit(isClean(findings) ? 0 : 1)

async function startReplicas(): Promise<void> {
  const secretKey = randomBytes(32).toString('base64url')
  for (let count = 0; count < replicaCount; count++) {
    const home = join(directory, `replica-${count}`)
    mkdirSync(home)
    replicas.push(await createReplica({ directory: home, databaseUrl, workflowsDir, secretKey }))
  }
  // The first makes the tables; the others would only wait for it.
  for (const replica of replicas) await replica.start()
}

async function run(): Promise<void> {
  const first = replicas[0]
  if (first === undefined) return
  const token = await signIn(first)
  const stop = new AbortController()
  const follower = new Follower({ replicas, token, random, records, findings, signal: stop.signal })
  const submitting = new Submitters({ replicas, token, random, records, onTimeout })
  for (; done < rounds; done++) {
    const owner = await findOwner()
    const isPaused = done % 3 === 2
    const gone = isPaused ? 'pause' : 'kill'
    if (isPaused) owner.pause()
    else await owner.end('SIGKILL')
    const goneMs = Date.now()
    const takeoverMs = (await follower.stepAfter(goneMs, patienceMs)) - goneMs
    takeoversMs.push(takeoverMs)
    console.log(`round ${done + 1}: runs move again ${takeoverMs} ms after the ${gone}`)
    if (takeoverMs > maxTakeoverMs) findings.wrong.push(`a takeover took ${takeoverMs} ms`)
    await delay(random.integer(0, 1_000))
    // It still believes to hold the engine: what it wants to write is refused.
    if (isPaused) owner.resume()
    else await owner.start()
  }
  await submitting.stop()
  const store = await openStore({ dataDir: join(directory, 'reader'), databaseUrl })
  await comeToRest(store)
  const head = await store.events.head()
  for (let waitedMs = 0; follower.lastSeq < head && waitedMs < 10_000; waitedMs += 100) await delay(100)
  if (follower.lastSeq < head) findings.lost.push(`the stream ended at ${follower.lastSeq} of ${head}`)
  stop.abort()
  await Promise.all(replicas.map((replica) => replica.end('SIGTERM')))
  records.push(...parseRecords(readFileSync(join(directory, 'effects'), 'utf8')))
  addFindings(findings, await checkHistory(store, records, true))
  await checkSingleStarts(store)
  await store.close()
  const starts = records.filter(({ kind }) => kind === 'start').length
  const refusals = [...submitting.refusals].map(([code, count]) => `${count} ${code}`).join(', ')
  console.log(
    `${starts} runs, ${head} events, ${follower.switches} connections of the stream; refused: ${refusals || 'none'}`,
  )
}

function onTimeout(what: string, origin: string): void {
  findings.wrong.push(`${what} was not answered by ${origin} in ten seconds`)
}

/** Who holds the engine, at some time under load. One that was paused may believe it for a moment longer. */
async function findOwner(): Promise<Replica> {
  const untilMs = Date.now() + patienceMs
  while (Date.now() < untilMs) {
    const before = await findHolder()
    await delay(random.integer(500, 2_500))
    const after = await findHolder()
    if (after !== undefined && after === before) return after
  }
  throw new Error('No replica holds the engine')
}

/** Undefined while there is none, or more than one that believes it. */
async function findHolder(): Promise<Replica | undefined> {
  const holders: Replica[] = []
  for (const replica of replicas) if (await replica.holdsEngine()) holders.push(replica)
  return holders.length === 1 ? holders[0] : undefined
}

async function comeToRest(store: Store): Promise<void> {
  const untilMs = Date.now() + patienceMs
  const isAtRest = async () => (await store.runs.unfinishedIds(undefined, 1)).length === 0
  while (!(await isAtRest()) && Date.now() < untilMs) await delay(100)
}

/** A start that was repeated under its key is there once. */
async function checkSingleStarts(store: Store): Promise<void> {
  const counts = new Map<string, number>()
  let cursor: string | undefined
  do {
    const page = await store.jobs.list({ limit: 200, ...(cursor !== undefined && { cursor }) })
    for (const { title, status, id } of page.items) {
      counts.set(title, (counts.get(title) ?? 0) + 1)
      if (!isTerminal(status)) findings.lost.push(`job ${id} (${title}) is ${status}`)
    }
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  for (const [title, count] of counts) {
    if (count > 1) findings.doubled.push(`there are ${count} jobs "${title}"`)
  }
}
