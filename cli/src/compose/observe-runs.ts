import type { Log } from '@kyros/kernel/log'
import type { Metrics } from '@kyros/kernel/metrics'
import type { Command, NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'

type Observer = { log: Log; metrics: Pick<Metrics, 'runStarted' | 'runEnded'> }
type Known = { workflow: string; startedMs: number | undefined }

/** Runs that never end must not fill the memory: beyond this the oldest is forgotten and its duration unknown. */
const maxKnownRuns = 100_000
const secondMs = 1_000

/**
 * The store, watched on its way to the disk: what this process commits about runs becomes one log line per notable
 * event and the metrics of the documents. It reads nothing and holds nothing up.
 */
export function observeRuns(store: Store, observer: Observer): Store {
  const known = new Map<string, Known>()
  // The port ties a command to its result by one generic parameter; watching passes both on unchanged.
  const commit = store.write as (command: Command) => Promise<unknown>
  const write = async (command: Command) => {
    const result = await commit(command)
    try {
      await observe(command, { store, known, ...observer })
    } catch (error) {
      // Watching must never fail a write that is on disk.
      observer.log.warn({ err: error }, 'a run could not be observed')
    }
    return result
  }
  // The same border, the other way.
  return { ...store, write: write as Store['write'] }
}

type Watching = Observer & { store: Store; known: Map<string, Known> }

async function observe(command: Command, watching: Watching): Promise<void> {
  switch (command.kind) {
    case 'submit_job':
    case 'retry_job':
      remember(watching.known, command.run.id, command.run.workflow)
      watching.log.info({ run_id: command.run.id, workflow: command.run.workflow }, 'run accepted')
      return observeEvents(command.run.id, command.events, watching)
    case 'append_run_events':
      return observeEvents(command.runId, command.events, watching)
    default:
      return
  }
}

async function observeEvents(
  runId: string,
  events: readonly NewRunEvent[],
  watching: Watching,
): Promise<void> {
  for (const event of events) await observeEvent(runId, event, watching)
}

async function observeEvent(runId: string, event: NewRunEvent, watching: Watching): Promise<void> {
  const { log, metrics } = watching
  switch (event.type) {
    case 'run.started': {
      const run = await knownRun(runId, watching)
      if (run.startedMs === undefined) metrics.runStarted(run.workflow)
      run.startedMs = event.timeMs
      return
    }
    case 'run.waiting':
      log.info({ run_id: runId, reason: event.data.reason }, 'run waits')
      return
    case 'step.failed':
      log.warn({ run_id: runId, step: event.data.key, attempt: event.data.attempt }, event.data.error.message)
      return
    case 'run.completed':
    case 'run.failed':
    case 'run.cancelled':
    case 'run.timed_out':
      return observeEnd(runId, event.type.slice('run.'.length), event.timeMs, watching)
    default:
      return
  }
}

async function observeEnd(runId: string, status: string, timeMs: number, watching: Watching): Promise<void> {
  const { log, metrics, known } = watching
  const run = await knownRun(runId, watching)
  // What was not seen to start here is started now, so that the count of active runs never falls below none.
  if (run.startedMs === undefined) metrics.runStarted(run.workflow)
  const seconds = run.startedMs === undefined ? 0 : (timeMs - run.startedMs) / secondMs
  metrics.runEnded(run.workflow, status, seconds)
  known.delete(runId)
  const fields = { run_id: runId, workflow: run.workflow, seconds: Math.round(seconds * 100) / 100 }
  log[status === 'completed' ? 'info' : 'warn'](fields, `run ${status.replace('_', ' ')}`)
}

async function knownRun(runId: string, { known, store }: Watching): Promise<Known> {
  const found = known.get(runId)
  if (found !== undefined) return found
  const record = await store.runs.get(runId)
  return remember(known, runId, record?.type ?? 'unknown')
}

function remember(known: Map<string, Known>, runId: string, workflow: string): Known {
  const run: Known = { workflow, startedMs: undefined }
  known.set(runId, run)
  const oldest = known.size > maxKnownRuns ? known.keys().next().value : undefined
  if (oldest !== undefined) known.delete(oldest)
  return run
}
