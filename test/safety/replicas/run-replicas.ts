// `npm run test:replicas -- --rounds N [--seed S]`: three orchestrators on one PostgreSQL; the one that holds the engine
// is killed, or paused, under load again and again. The last line is `R rounds, L lost, D doubled, takeover p50 X s, max Y s`.
import { setTimeout as delay } from 'node:timers/promises'
import { createRandom } from '../load/random.ts'
import type { Record } from '../load/records.ts'
import { checkHistory } from '../model/check-history.ts'
import { addFindings, describe, isClean, noFindings } from '../model/findings.ts'
import { checkReaders, checkSingleStarts, comeToRest } from './check-end.ts'
import { Follower } from './follow-log.ts'
import { type Replica, signIn } from './replica.ts'
import { openStage, readRounds } from './stage.ts'
import { Submitters } from './submit-load.ts'

const replicaCount = 3
const maxTakeoverMs = 10_000
const patienceMs = 60_000

const { rounds, seed } = readRounds('test:replicas')
const random = createRandom(seed)
const findings = noFindings()
const records: Record[] = []
const takeoversMs: number[] = []
const stage = await openStage()
const replicas: Replica[] = []
let done = 0
try {
  await startReplicas()
  await run()
} catch (error) {
  findings.wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  for (const replica of replicas) console.log(`── ${replica.origin}\n${replica.output.slice(-2_000)}`)
} finally {
  await stage.close(!isClean(findings))
}
for (const line of describe(findings)) console.log(line)
if (findings.wrong.length > 0) console.log(`${findings.wrong.length} wrong, see above`)
const sorted = takeoversMs.toSorted((one, other) => one - other)
const seconds = (ms: number | undefined) => `${((ms ?? Number.NaN) / 1000).toFixed(1)} s`
const takeover = `p50 ${seconds(sorted[Math.floor((sorted.length - 1) / 2)])}, max ${seconds(sorted.at(-1))}`
console.log(
  `${done} rounds, ${findings.lost.length} lost, ${findings.doubled.length} doubled, takeover ${takeover}`,
)
process.exit(isClean(findings) ? 0 : 1)

async function startReplicas(): Promise<void> {
  for (let count = 0; count < replicaCount; count++) replicas.push(await stage.add('orchestrator'))
  // The first makes the tables; the others would only wait for it.
  for (const replica of replicas) await replica.start()
}

async function run(): Promise<void> {
  const first = replicas[0]
  if (first === undefined) return
  const token = await signIn(first)
  const stop = new AbortController()
  const common = { replicas, token, random, records }
  const follower = new Follower({ ...common, findings, signal: stop.signal })
  const submitting = new Submitters({ ...common, onTimeout, clients: 6, pauseMs: [5, 60] })
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
  const store = await stage.openStore()
  await comeToRest(store, 'embedded', patienceMs)
  const head = await store.events.head()
  await checkReaders([follower], head, findings)
  stop.abort()
  await Promise.all(replicas.map((replica) => replica.end('SIGTERM')))
  records.push(...stage.effects())
  addFindings(findings, await checkHistory(store, records, true))
  await checkSingleStarts(store, findings)
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
