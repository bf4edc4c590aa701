import type { Why } from '@kyros/contract/job'
import { isTerminal } from '@kyros/contract/run-status'
import type { RunRecord } from '@kyros/store/store'
import { textOf } from '../error-text.ts'
import type { EngineParts } from './engine-parts.ts'
import type { LiveRun } from './live-run.ts'
import type { StepRow } from './run-steps.ts'
import { type Explained, fromRecord, iso, seconds, wait } from './why-record.ts'

export type ExplainParts = Pick<EngineParts, 'slots' | 'gates'> & {
  nowMs: number
  /** Whether this process runs the engine, and has taken up what it found. */
  engine: 'holds' | 'recovers' | 'elsewhere'
  /** What kept it from going on when that was last tried in this process. */
  fault?: string | undefined
}

/** Why a run does not move, from memory where it is live and from its record where it is not. */
export function explain(record: RunRecord, live: LiveRun | undefined, parts: ExplainParts): Why {
  const isLive = live !== undefined && !live.ended
  const { fault } = parts
  const seen = isLive ? fromMemory(live, parts) : fromRecord(record, parts.engine, parts.gates)
  // Whatever else it waits for, this comes first; who is blocked is told why already.
  const isTold = fault === undefined || live?.blocked !== undefined || isTerminal(record.status)
  const waits = isTold ? seen : [wait.fault(fault), ...seen]
  return {
    run_id: record.id,
    status: record.status,
    waits_for: waits.map(({ wait: one }) => one),
    since: record.started_at ?? record.created_at,
    what_would_move_it: waits[0]?.moves ?? endSentence(record),
  }
}

/** Of a run that was started on Temporal, in a process that has no cluster to follow it on. */
export function explainAway(record: RunRecord): Why {
  const ended = isTerminal(record.status)
  return {
    run_id: record.id,
    status: record.status,
    waits_for: ended ? [] : [wait.withoutCluster().wait],
    since: record.started_at ?? record.created_at,
    what_would_move_it: ended ? endSentence(record) : wait.withoutCluster().moves,
  }
}

function endSentence({ status }: RunRecord): string {
  return `The run has ended (${status}); nothing moves it any more. Retry its job for a new run.`
}

function fromMemory(run: LiveRun, parts: ExplainParts): Explained[] {
  if (run.blocked !== undefined) return [wait.blocked(run.blocked)]
  if (run.facts.definition === '') return [wait.agentMissing(run.shown?.detail ?? '')]
  const held = explainHold(run, parts.nowMs)
  const steps = [...run.steps.rows.values()].flatMap((row) => explainStep(run, row, parts) ?? [])
  // What runs in spite of a hold is what the run waits for first.
  if (held !== undefined) return [held, ...steps.filter(({ wait: one }) => one.kind === 'step')]
  if (run.startedMs === undefined) return explainStart(run, parts)
  const waits = [...steps, ...explainAsks(run), ...explainSignals(run), ...explainTimers(run)]
  return waits.length > 0 ? waits : [wait.engine('about to go on', 'It goes on at once.')]
}

function explainHold({ control, held, steps }: LiveRun, nowMs: number): Explained | undefined {
  if (control === undefined || held === undefined) return undefined
  const { paused } = control
  if (paused !== undefined) return wait.paused(paused.by, paused.sinceMs)
  const exceeded = control.exceeded(steps.activeMs(nowMs))
  return exceeded && wait.budget(exceeded.what, exceeded.sentence)
}

function explainStart(run: LiveRun, { gates }: ExplainParts): Explained[] {
  const { reason, detail = '', until } = run.shown ?? {}
  if (reason === 'timer') return [wait.start(until ?? null)]
  const place = gates.explain(run.facts.runId)
  if (reason === 'concurrency') return [wait.concurrency(place, detail)]
  return [wait.engine('about to begin', 'It begins at once.')]
}

function explainAsks({ asks }: LiveRun): Explained[] {
  if (asks === undefined) return []
  const waitpoints = [...asks.waitpoints.rows.values()].map(({ name, title, expiresAtMs }) =>
    wait.waitpoint(name, title, expiresAtMs),
  )
  const children = [...asks.children.rows.values()].map(({ workflow, runId }) => wait.child(workflow, runId))
  const { underWay } = asks.updates
  const updates = underWay === 0 ? [] : [wait.updates(underWay)]
  return [...children, ...waitpoints, ...updates]
}

function explainSignals({ host }: LiveRun): Explained[] {
  if (host === undefined || (host.conditions.size === 0 && !host.waitsForSignal)) return []
  const names = [...host.handlers.keys()]
  return [names.length === 0 ? wait.condition() : wait.signals(names)]
}

function explainTimers({ timers }: LiveRun): Explained[] {
  const rows = [...timers.rows.values()].toSorted((a, b) => a.fireAtMs - b.fireAtMs)
  return rows.map(({ name, fireAtMs }) => wait.timer(name, fireAtMs))
}

function explainStep(run: LiveRun, row: StepRow, parts: ExplainParts): Explained | undefined {
  const max = row.options.maxAttempts
  const { key } = row
  switch (row.state) {
    case 'running': {
      const sinceMs = row.live?.startedMs ?? parts.nowMs
      const progress = row.live?.progress === undefined ? '' : `, progress ${preview(row.live.progress)}`
      const detail = `attempt ${row.attempt} of ${max} has run for ${seconds(parts.nowMs - sinceMs)} s${progress}`
      return { wait: { kind: 'step', name: key, detail }, moves: `The step ${key} must end.` }
    }
    case 'backoff': {
      const retryAtMs = row.retryAtMs ?? parts.nowMs
      const last = row.lastError === undefined ? '' : ` after ${row.lastError.code}: ${row.lastError.message}`
      const detail = `attempt ${row.attempt + 1} of ${max} in ${seconds(retryAtMs - parts.nowMs)} s${last}`
      const until = iso(retryAtMs)
      return { wait: { kind: 'retry', name: key, detail, until }, moves: `It tries again at ${until}.` }
    }
    case 'held':
    case 'scheduled':
    case 'cut':
    case 'queued':
      return explainSlot(run, row, parts)
    case 'missing':
      return wait.workerMissing(row.step)
    case 'ended':
      return undefined
  }
}

const maxPreviewChars = 200

/** What the step gave with its last heartbeat: its own code did, so it may be anything. */
function preview(value: unknown): string {
  let text: string
  try {
    text = JSON.stringify(value) ?? textOf(value)
  } catch {
    text = textOf(value)
  }
  return text.length > maxPreviewChars ? `${text.slice(0, maxPreviewChars)}…` : text
}

function explainSlot(run: LiveRun, { key, options }: StepRow, { slots }: ExplainParts): Explained {
  const waits = slots.explain(run.facts.runId, options)
  if (waits.kind === 'key') {
    const holders = waits.holders.join(', ') || 'another run'
    const detail = `the step ${key} waits for the key ${waits.name}, which run ${holders} holds`
    const moves = `A step of run ${holders} with the key ${waits.name} must end.`
    return { wait: { kind: 'concurrency_key', name: waits.name, detail }, moves }
  }
  const { name, used, limit, waiting } = waits
  const detail = `the step ${key} waits in the queue ${name}: ${used} of ${limit} slots are taken, ${waiting} wait`
  const moves = `Another step in the queue ${name} must end, or allow more at once.`
  return { wait: { kind: 'queue', name, detail }, moves }
}
