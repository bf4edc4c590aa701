import type { Log } from '@kyros/kernel/log'
import type { Metrics } from '@kyros/kernel/metrics'
import type { Command, NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'

type Observer = { log: Log; metrics: Pick<Metrics, 'runStarted' | 'runEnded'> }
type Known = { workflow: string; startedMs: number | undefined; trace: { trace_id?: string } }

/** Runs that never end must not fill the memory: beyond this the oldest is forgotten and its duration unknown. */
const maxKnownRuns = 100_000
const forgottenAtOnce = 10_000
const secondMs = 1_000

/**
 * The store, watched on its way to the disk: what this process commits about runs becomes one log line per notable
 * event and the metrics of the documents. It reads nothing and holds nothing up.
 */
export function observeRuns(store: Store, observer: Observer): Store {
  const watching = { store, known: new Map<string, Known>(), ...observer }
  // The port ties a command to its result by one generic parameter; watching passes both on unchanged.
  const commit = store.write as (command: Command) => Promise<unknown>
  const write = async (command: Command) => {
    const result = await commit(command)
    observe(command, result, watching)
    return result
  }
  // The same border, the other way.
  return { ...store, write: write as Store['write'] }
}

type Watching = Observer & { store: Store; known: Map<string, Known> }

function observe(command: Command, result: unknown, watching: Watching): void {
  switch (command.kind) {
    case 'submit_job':
    case 'retry_job': {
      const run = remember(watching.known, command.run.id, command.run.workflow, traceOf(command.events))
      const accepted = { run_id: command.run.id, workflow: command.run.workflow, ...run.trace }
      watching.log.info(accepted, 'run accepted')
      observeEvents(command.run.id, run, command.events, watching)
      break
    }
    case 'append_run_events':
      observeAppended(command.runId, command.events, watching)
      break
    case 'append_many':
      for (const [index, { runId, events }] of command.appends.entries()) {
        if (isAppended(result, index)) observeAppended(runId, events, watching)
      }
      break
    default:
      break
  }
}

/** Of many appends some may have been refused: those say nothing. */
function isAppended(result: unknown, index: number): boolean {
  return Array.isArray(result) && 'firstSeq' in result[index]
}

function observeAppended(runId: string, events: readonly NewRunEvent[], watching: Watching): void {
  const known = watching.known.get(runId)
  if (known !== undefined) {
    observeEvents(runId, known, events, watching)
    return
  }
  // A run from before this process: its workflow is looked up once, and nobody waits for that.
  watching.store.runs
    .get(runId)
    .then((record) => {
      const run = watching.known.get(runId) ?? remember(watching.known, runId, record?.type ?? 'unknown')
      observeEvents(runId, run, events, watching)
    })
    .catch((error: unknown) => watching.log.warn({ err: error }, 'a run could not be observed'))
}

function observeEvents(
  runId: string,
  run: Known,
  events: readonly NewRunEvent[],
  { log, metrics, known }: Watching,
): void {
  for (const event of events) {
    switch (event.type) {
      case 'run.started':
        if (run.startedMs === undefined) metrics.runStarted(run.workflow)
        run.startedMs = event.timeMs
        break
      case 'run.waiting':
        log.info({ run_id: runId, reason: event.data.reason, ...run.trace }, 'run waits')
        break
      case 'step.failed':
        log.warn(
          { run_id: runId, step: event.data.key, attempt: event.data.attempt, ...run.trace },
          event.data.error.message,
        )
        break
      case 'run.completed':
      case 'run.failed':
      case 'run.cancelled':
      case 'run.timed_out':
        observeEnd(runId, run, event, { log, metrics })
        known.delete(runId)
        break
      default:
        break
    }
  }
}

function observeEnd(runId: string, run: Known, event: NewRunEvent, { log, metrics }: Observer): void {
  const status = event.type.slice('run.'.length)
  // What was not seen to start here is started now, so that the count of active runs never falls below none.
  if (run.startedMs === undefined) metrics.runStarted(run.workflow)
  const seconds = run.startedMs === undefined ? 0 : (event.timeMs - run.startedMs) / secondMs
  metrics.runEnded(run.workflow, status, seconds)
  const fields = {
    run_id: runId,
    workflow: run.workflow,
    seconds: Math.round(seconds * 100) / 100,
    ...run.trace,
  }
  log[status === 'completed' ? 'info' : 'warn'](fields, `run ${status.replace('_', ' ')}`)
}

/** Of the request that asked for the run, where it had one. */
function traceOf(events: readonly NewRunEvent[]): Known['trace'] {
  const [first] = events
  const trace = first?.type === 'run.created' ? first.data.traceparent?.split('-')[1] : undefined
  return trace === undefined ? {} : { trace_id: trace }
}

function remember(
  known: Map<string, Known>,
  runId: string,
  workflow: string,
  trace: Known['trace'] = {},
): Known {
  const run: Known = { workflow, startedMs: undefined, trace }
  known.set(runId, run)
  if (known.size > maxKnownRuns + forgottenAtOnce) forgetOldest(known)
  return run
}

/** Many at once: a map that loses its first entry again and again walks over all that it lost before. */
function forgetOldest(known: Map<string, Known>): void {
  for (const runId of known.keys()) {
    if (known.size <= maxKnownRuns) return
    known.delete(runId)
  }
}
