import type { Why } from '@kyros/contract/job'
import { isTerminal } from '@kyros/contract/run-status'
import type { RunRecord, Store } from '@kyros/store/store'
import { readHistory } from '../embedded/history.ts'
import type { RunGates } from '../embedded/run-gates.ts'
import type { EngineClock } from '../embedded/timers.ts'
import { type Explained, fromRecord, iso, seconds, wait } from '../embedded/why-record.ts'
import type { Cluster } from './cluster.ts'
import { waitsQuery } from './start-facts.ts'

export type ExplainParts = {
  readonly store: Store
  readonly clock: EngineClock
  readonly cluster: Cluster
  readonly gates: RunGates
  readonly engine: 'holds' | 'recovers' | 'elsewhere'
  /** What is wrong with the cluster, as far as is known. */
  readonly outage: Error | undefined
}

const askMs = 2_000

/** Why a run of the cluster does not move: from its log, and from its worker where only that knows. */
export async function explainRun(parts: ExplainParts, record: RunRecord): Promise<Why> {
  const waits = isTerminal(record.status)
    ? []
    : [...(await unservedWait(parts, record)), ...(await waitsOf(parts, record))]
  return {
    run_id: record.id,
    status: record.status,
    waits_for: waits.map(({ wait: one }) => one),
    since: record.started_at ?? record.created_at,
    what_would_move_it:
      waits[0]?.moves ??
      `The run has ended (${record.status}); nothing moves it any more. Retry its job for a new run.`,
  }
}

/** A version that nobody serves stands still, whatever its runs wait for. */
async function unservedWait({ cluster, outage }: ExplainParts, { id }: RunRecord): Promise<Explained[]> {
  const build = outage === undefined ? await cluster.unservedBuild(id, askMs) : undefined
  return build === undefined ? [] : [wait.versionMissing(build.slice(0, 12))]
}

async function waitsOf(parts: ExplainParts, record: RunRecord): Promise<Explained[]> {
  const { outage, gates, engine } = parts
  const away = outage === undefined ? [] : [wait.engine(outage.message, 'The cluster must answer again.')]
  if (record.status === 'waiting') {
    if (record.reason === 'signal') return [...away, await signalWait(parts, record)]
    return [...away, ...fromRecord(record, engine, gates)]
  }
  if (record.started_at === null)
    return [...away, wait.engine('about to begin', 'It begins when a worker takes it.')]
  const steps = await stepWaits(parts, record)
  return [...away, ...(steps.length > 0 ? steps : [await turnWait(parts, record)])]
}

/** No step of it is known to be under way; an inline step is known once it has ended. */
async function turnWait({ cluster, clock }: ExplainParts, record: RunRecord): Promise<Explained> {
  const turn = await cluster.turn(record.id, askMs).catch(() => undefined)
  if (turn === undefined || !turn.isTaken)
    return wait.engine('about to go on', 'It goes on when a worker takes it.')
  const again = turn.times > 1 ? `, as number ${turn.times}: those before did not end it` : ''
  const sinceS = seconds(clock.nowMs() - turn.sinceMs)
  const detail = `a worker has had its turn for ${sinceS} s${again}`
  return wait.engine(
    detail,
    'It goes on when the worker has ended the turn. An inline step is done within it, and told at its end.',
  )
}

/** What it listens for, its worker knows. */
async function signalWait({ cluster, gates, engine }: ExplainParts, record: RunRecord): Promise<Explained> {
  const known = await cluster.query(record.id, waitsQuery, null, askMs).catch(() => undefined)
  const names =
    typeof known === 'object' && known !== null && !Array.isArray(known) ? known.signals : undefined
  if (!Array.isArray(names)) {
    const [first] = fromRecord(record, engine, gates)
    return first ?? wait.signalOrCondition(record.waiting_until)
  }
  return names.length === 0 ? wait.condition() : wait.signals(names.map(String))
}

async function stepWaits({ store, clock }: ExplainParts, record: RunRecord): Promise<Explained[]> {
  const { steps } = await readHistory(store, record.id)
  const nowMs = clock.nowMs()
  return [...steps.values()].flatMap(({ key, state, attempt, maxAttempts, retryAtMs, scheduledMs }) => {
    if (state === 'ended') return []
    if (state === 'backoff') {
      const dueMs = retryAtMs ?? nowMs
      const detail = `attempt ${attempt + 1} of ${maxAttempts} in ${seconds(dueMs - nowMs)} s`
      const until = iso(dueMs)
      return [{ wait: { kind: 'retry', name: key, detail, until }, moves: `It tries again at ${until}.` }]
    }
    const detail = `attempt ${attempt} of ${maxAttempts}, asked for ${seconds(nowMs - scheduledMs)} s ago`
    return [{ wait: { kind: 'step', name: key, detail }, moves: `A worker must end the step ${key}.` }]
  })
}
