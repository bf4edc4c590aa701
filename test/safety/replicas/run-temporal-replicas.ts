// `npm run test:replicas:temporal -- --rounds N [--seed S]`: three orchestrators behind a balancer and two workers, on one
// PostgreSQL and one Temporal server; under load any of the five is killed and started again, in every third round two.
// The last line is `R rounds, K kills, L lost, D doubled, streams unbroken`.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { findTemporal, temporalObstacle } from '../../../tools/find-temporal.js'
import { startTemporal } from '../../../tools/temporal-dev-server.ts'
import { createRandom } from '../load/random.ts'
import type { Record } from '../load/records.ts'
import { checkHistory } from '../model/check-history.ts'
import { addFindings, describe, isClean, noFindings } from '../model/findings.ts'
import { Balancer } from './balancer.ts'
import { checkReaders, checkSingleStarts, comeToRest } from './check-end.ts'
import { checkExecutions } from './executions.ts'
import { Follower } from './follow-log.ts'
import { type Replica, signIn } from './replica.ts'
import { RunStreams } from './run-streams.ts'
import { openStage, readRounds } from './stage.ts'
import { Submitters } from './submit-load.ts'

const services = ['orchestrator', 'orchestrator', 'orchestrator', 'worker', 'worker'] as const
const readerCount = 3
const patienceMs = 60_000
const maxEndMs = 20_000
const maxMs = (rounds: number) => 90_000 + rounds * 40_000

const { rounds, seed } = readRounds('test:replicas:temporal')
const random = createRandom(seed)
const findings = noFindings()
const streams = noFindings()
const records: Record[] = []
const server = await openServer()
const taskQueue = `replicas-${randomUUID()}`
const stage = await openStage({
  KYROS_TEMPORAL_HOST_PORT: server.address,
  KYROS_TEMPORAL_TASK_QUEUE: taskQueue,
})
const all: Replica[] = []
let done = 0
let kills = 0
let waiting: Replica[] = []
let isFinishing = false
const watchdog = setTimeout(() => void finish('it took too long'), maxMs(rounds))
try {
  await start()
  await run()
  await finish()
} catch (error) {
  await finish(error instanceof Error ? (error.stack ?? error.message) : String(error))
}

/** The server that TEMPORAL_ADDRESS names, or one of its own. */
async function openServer(): Promise<{ address: string; stop: () => Promise<void> }> {
  const source = findTemporal()
  if (source.kind === 'address') return { address: source.address, stop: async () => {} }
  if (source.kind === 'binary') return startTemporal({ path: source.path })
  console.error(temporalObstacle(source))
  process.exit(1)
}

async function start(): Promise<void> {
  for (const service of services) all.push(await stage.add(service))
  const [first, ...others] = all
  // It makes the tables; the others would only wait for it.
  await first?.start()
  await Promise.all(others.map((replica) => replica.start()))
}

async function run(): Promise<void> {
  const balancer = await Balancer.open(all.filter(({ service }) => service === 'orchestrator'))
  const token = await signIn(balancer)
  const store = await stage.openStore()
  const stop = new AbortController()
  const common = { replicas: [balancer], token, random, records }
  const reading = { entrance: balancer, token, random, findings: streams, signal: stop.signal }
  const followers = Array.from({ length: readerCount }, () => new Follower({ ...common, ...reading }))
  const runStreams = new RunStreams(reading)
  const onStarted = (runId: string) => runStreams.begin(runId)
  const submitting = new Submitters({ ...common, onStarted, onTimeout, clients: 3, pauseMs: [200, 800] })
  for (; done < rounds; done++) {
    await delay(random.integer(1_000, 3_000))
    const underWay = (await store.runs.unfinishedIds(undefined, 200, 'temporal')).length
    await killSome(followers[0], underWay)
  }
  await submitting.stop()
  await comeToRest(store, 'temporal', patienceMs)
  const head = await store.events.head()
  await Promise.race([runStreams.settled(), delay(10_000)])
  await checkReaders(followers, head, streams)
  stop.abort()
  await runStreams.settled()
  balancer.close()
  await Promise.all(all.map((replica) => replica.end('SIGTERM')))
  records.push(...stage.effects())
  addFindings(findings, await checkHistory(store, records, true))
  await checkSingleStarts(store, findings)
  await checkExecutions({ address: server.address, taskQueue }, records, findings)
  await store.close()
  const starts = records.filter(({ kind }) => kind === 'start').length
  const refusals = [...submitting.refusals].map(([code, count]) => `${count} ${code}`).join(', ')
  const switches = followers.reduce((sum, follower) => sum + follower.switches, 0)
  console.log(
    [
      `${starts} runs, ${head} events; refused: ${refusals || 'none'}`,
      `${readerCount} streams of all events over ${switches} connections, ${runStreams.ended} streams of single runs,`,
      `resumed ${runStreams.resumed} times; connections of each orchestrator: ${balancer.taken.join(', ')}`,
    ].join('\n'),
  )
}

/** Kills one of the five, or two, and starts it again, while runs must begin to move again. */
async function killSome(follower: Follower | undefined, underWay: number): Promise<void> {
  const gone = new Set(Array.from({ length: done % 3 === 2 ? 2 : 1 }, draw))
  const names = [...gone].map((replica) => `${replica.service} ${all.indexOf(replica) + 1}`).join(' and ')
  await Promise.all([...gone].map((replica) => replica.end('SIGKILL')))
  kills += gone.size
  const goneMs = Date.now()
  const startAgain = async (replica: Replica) => {
    await delay(random.integer(0, 2_000))
    await replica.start()
  }
  const [movedMs] = await Promise.all([
    follower?.stepAfter(goneMs, patienceMs) ?? goneMs,
    ...[...gone].map(startAgain),
  ])
  const moved = `a step that began later was seen ${movedMs - goneMs} ms after it`
  console.log(`round ${done + 1}: ${names} killed, ${underWay} runs under way; ${moved}`)
}

/** At random, but each of the five before any comes again. */
function draw(): Replica {
  if (waiting.length === 0) waiting = [...all]
  const [replica] = waiting.splice(random.integer(0, waiting.length), 1)
  if (replica === undefined) throw new Error('There is nobody to kill')
  return replica
}

function onTimeout(what: string): void {
  findings.wrong.push(`${what} was not answered in ten seconds`)
}

/** Ends everything that was started, says what was found, and exits. */
async function finish(trouble?: string): Promise<never> {
  // Whoever waits for one of the processes that end now fails, too: that is no finding.
  if (isFinishing) return new Promise(() => {})
  isFinishing = true
  clearTimeout(watchdog)
  setTimeout(() => process.exit(1), maxEndMs)
  if (trouble !== undefined) findings.wrong.push(trouble)
  const isWell = isClean(findings) && isClean(streams)
  if (!isWell)
    for (const one of all) console.log(`── ${one.service} ${one.origin}\n${one.output.slice(-2_000)}`)
  await stage.close(!isWell).catch((error: unknown) => console.log(String(error)))
  await server.stop()
  for (const line of [...describe(findings), ...describe(streams)]) console.log(line)
  if (findings.wrong.length > 0) console.log(`${findings.wrong.length} wrong, see above`)
  const breaks = streams.lost.length + streams.doubled.length
  const { lost, doubled } = findings
  console.log(
    `${done} rounds, ${kills} kills, ${lost.length} lost, ${doubled.length} doubled, streams ${breaks === 0 ? 'unbroken' : `broken ${breaks} times`}`,
  )
  process.exit(isWell ? 0 : 1)
}
