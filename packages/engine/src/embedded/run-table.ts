import { isTerminal } from '@kyros/contract/run-status'
import { EngineFenced } from '@kyros/store/command'
import type { RunRecord } from '@kyros/store/store'
import type { EngineParts } from './engine-parts.ts'
import { emptyHistory, type History, readHistory } from './history.ts'
import { LiveRun } from './live-run.ts'
import { factsOf, type RunFacts } from './run-facts.ts'

export type RunTable = {
  readonly live: ReadonlyMap<string, LiveRun>
  /** The run in memory, read and taken up if it is not there; undefined when it is unknown or has ended. */
  find(runId: string): Promise<LiveRun | undefined>
  /** Takes up a run whose record was just read. */
  takeUp(record: RunRecord): Promise<void>
  /** Takes up a run that was just committed with these events, without reading it again. */
  begin(run: RunFacts, history: History): Promise<void>
  /** Lets go of every run; nothing of it is recorded. */
  closeAll(reason: string): Promise<void>
}

// Between losing a run and reading it again, so that a fault that stays does not spin.
const reloadAfterMs = 1000

export function createRunTable(parts: EngineParts, onFenced: () => void): RunTable {
  const live = new Map<string, LiveRun>()
  const loading = new Map<string, Promise<LiveRun | undefined>>()

  const onEnded = (run: LiveRun) => {
    const { runId } = run.facts
    if (live.get(runId) === run) live.delete(runId)
    parts.slots.forget(runId)
    run
      .quiet()
      .then(() => parts.workspaces.remove(runId))
      .catch((error: unknown) =>
        parts.log('warn', `The workspace of run ${runId} is still there: ${String(error)}`),
      )
  }

  const onLost = (run: LiveRun, error: unknown) => {
    const { runId } = run.facts
    if (live.get(runId) !== run) return
    live.delete(runId)
    parts.slots.forget(runId)
    run.close('The engine let go of this run.').catch(parts.onBug)
    if (error instanceof EngineFenced) return onFenced()
    if (parts.isClosing()) return
    parts.log('warn', `Run ${runId} is read again: ${String(error)}`)
    parts.timers.at(parts.clock.nowMs() + reloadAfterMs, () => {
      if (!parts.isClosing()) find(runId).catch(parts.onBug)
    })
  }

  const add = async (run: RunFacts, history: History): Promise<LiveRun> => {
    const loaded = run.definition === '' ? undefined : await parts.definitions.load(run.definition)
    const known = live.get(run.runId)
    if (known !== undefined) return known
    if (history.steps.size > 0) parts.workspaces.adopt(run.runId)
    const created = new LiveRun({ parts, run, history, loaded, onEnded, onLost })
    live.set(run.runId, created)
    created.resume()
    return created
  }

  /** One reading at a time for each run. */
  const read = (runId: string, record: RunRecord | undefined): Promise<LiveRun | undefined> => {
    const known = live.get(runId)
    if (known !== undefined) return Promise.resolve(known)
    const under = loading.get(runId)
    if (under !== undefined) return under
    const reading = readRun(runId, record).finally(() => loading.delete(runId))
    loading.set(runId, reading)
    return reading
  }

  const readRun = async (runId: string, given: RunRecord | undefined): Promise<LiveRun | undefined> => {
    const record = given ?? (await parts.store.runs.get(runId))
    if (record === undefined || isTerminal(record.status)) return undefined
    const history = await readHistory(parts.store, runId)
    return history.ended ? undefined : add(factsOf(record), history)
  }

  const find = (runId: string) => read(runId, undefined)
  return {
    live,
    find,
    takeUp: async (record) => {
      await read(record.id, record)
    },
    begin: async (run, history) => {
      if (!live.has(run.runId) && !loading.has(run.runId)) await add(run, history)
    },
    closeAll: async (reason) => {
      const runs = [...live.values()]
      live.clear()
      for (const run of runs) parts.slots.forget(run.facts.runId)
      await Promise.all(runs.map((run) => run.close(reason)))
    },
  }
}

/** The history of a run of which only these events exist. */
export function historyOf(events: History['events']): History {
  const history = emptyHistory()
  for (const event of events) {
    history.events.push(event)
    history.lastMs = event.timeMs
    if (event.type === 'run.waiting') history.shown = event.data
  }
  history.runSeq = events.length
  return history
}
