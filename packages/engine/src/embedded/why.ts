import type { Why } from '@kyros/contract/job'
import type { RunRecord } from '@kyros/store/store'
import type { LiveRun } from './live-run.ts'
import type { StepRow } from './run-steps.ts'

type Wait = Why['waits_for'][number]

/** Why a run does not move, from memory where it is live and from its record where it is not. */
export function explain(record: RunRecord, live: LiveRun | undefined, nowMs: number): Why {
  const waits = live === undefined || live.ended ? fromRecord(record) : fromMemory(live, nowMs)
  return {
    run_id: record.id,
    status: record.status,
    waits_for: waits.map(({ wait }) => wait),
    since: record.started_at ?? record.created_at,
    what_would_move_it: waits[0]?.moves ?? endSentence(record),
  }
}

type Explained = { wait: Wait; moves: string }

function endSentence(record: RunRecord): string {
  return `The run has ended (${record.status}); nothing moves it any more. Retry its job for a new run.`
}

function fromRecord(record: RunRecord): Explained[] {
  const detail = record.reason_detail ?? ''
  switch (record.status) {
    case 'pending':
      return [explained('engine', 'engine', 'not taken up yet', 'The engine takes it up when it runs.')]
    case 'running':
      return [
        explained(
          'engine',
          'engine',
          'runs in another process',
          'It moves in the process that holds the engine.',
        ),
      ]
    case 'waiting':
      return [explainWait(record.reason ?? '', detail, record.waiting_until)]
    default:
      return []
  }
}

function explainWait(reason: string, detail: string, until: string | null): Explained {
  switch (reason) {
    case 'agent_missing':
      return explained(
        'agent_missing',
        'agent',
        detail,
        'Cancel it, and submit the job again with a workflow: GET /api/v1/workflow-types lists them.',
      )
    case 'blocked':
      return explained(
        'blocked',
        'definition',
        detail,
        'Correct the definition; the run goes on from where it is.',
      )
    case 'worker_missing':
      return explained('worker_missing', 'step', detail, 'Start a process that does this step.')
    case 'signal':
      return explained('signal', 'signal', detail, `Send the signal it waits for${untilText(until)}.`)
    default:
      return explained(
        reason,
        reason,
        detail,
        until === null ? 'It goes on by itself.' : `It goes on at ${until}.`,
      )
  }
}

const untilText = (until: string | null) => (until === null ? '' : `, or wait until ${until}`)

function explained(kind: string, name: string, detail: string, moves: string): Explained {
  return { wait: { kind, name, detail }, moves }
}

function fromMemory(run: LiveRun, nowMs: number): Explained[] {
  if (run.blocked !== undefined) return [explainWait('blocked', run.blocked, null)]
  if (run.facts.definition === '') return [explainWait('agent_missing', run.shown?.detail ?? '', null)]
  if (run.startedMs === undefined && run.shown?.reason === 'timer') {
    return [explainWait('timer', 'not to start before its time', run.shown.until ?? null)]
  }
  const steps = [...run.steps.rows.values()].flatMap((row) => explainStep(row, nowMs) ?? [])
  const timers = [...run.timers.rows.values()].map((timer) =>
    explained('timer', timer.name, `until ${iso(timer.fireAtMs)}`, `It goes on at ${iso(timer.fireAtMs)}.`),
  )
  const signals = run.host?.conditions.size || run.host?.waitsForSignal ? explainSignals(run) : []
  const waits = [...steps, ...signals, ...timers]
  return waits.length > 0 ? waits : [explained('engine', 'engine', 'about to go on', 'It goes on at once.')]
}

function explainSignals(run: LiveRun): Explained[] {
  const names = [...(run.host?.handlers.keys() ?? [])]
  const name = names.join(', ') || 'signal'
  return [explained('signal', name, `listens for: ${name}`, `Send the signal ${name}.`)]
}

function explainStep(row: StepRow, nowMs: number): Explained | undefined {
  const max = row.options.maxAttempts
  switch (row.state) {
    case 'running': {
      const sinceMs = row.live?.startedMs ?? nowMs
      const progress =
        row.live?.progress === undefined ? '' : `, progress ${JSON.stringify(row.live.progress)}`
      const detail = `attempt ${row.attempt} of ${max} has run for ${seconds(nowMs - sinceMs)} s${progress}`
      return explained('step', row.key, detail, `The step ${row.key} must end.`)
    }
    case 'backoff': {
      const inText = `attempt ${row.attempt + 1} of ${max} in ${seconds((row.retryAtMs ?? nowMs) - nowMs)} s`
      const last = row.lastError === undefined ? '' : ` after ${row.lastError.code}: ${row.lastError.message}`
      return explained(
        'retry',
        row.key,
        `${inText}${last}`,
        `It tries again at ${iso(row.retryAtMs ?? nowMs)}.`,
      )
    }
    case 'scheduled':
    case 'cut':
    case 'queued':
      return explained(
        'concurrency',
        row.key,
        'waits for a free slot',
        'Another step must end, or allow more at once.',
      )
    case 'missing':
      return explainWait('worker_missing', `Nothing here does the step ${row.step}.`, null)
    case 'ended':
      return undefined
  }
}

const seconds = (ms: number) => Math.max(0, Math.round(ms / 1000))
const iso = (ms: number) => new Date(ms).toISOString()
