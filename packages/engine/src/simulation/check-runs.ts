import type { Event } from '@kyros/contract/event'
import type { Store } from '@kyros/store/store'
import type { Callers } from './callers.ts'
import { limitsOf } from './limits.ts'
import type { Violation } from './model.ts'
import { beginningOf, isEnd } from './model-log.ts'

/** What must hold between runs: parents and children, and how many may be under way at once. */
type Logs = Map<string, Event[]>

async function logsOf(store: Store, runIds: readonly string[]): Promise<Logs> {
  const logs: Logs = new Map()
  for (const runId of runIds) logs.set(runId, await store.events.ofRun(runId))
  return logs
}

/** A run comes from a caller, or from the log of its parent; what a parent is told of a child is how it ended. */
export async function checkFamilies(
  store: Store,
  runIds: readonly string[],
  callers: Callers,
): Promise<Violation[]> {
  const logs = await logsOf(store, runIds)
  const violations: Violation[] = []
  const wanted = new Set(callers.runs.map(({ runId }) => runId))
  for (const [runId, events] of logs) {
    for (const { type, data } of events) {
      const childId = String(data.run_id)
      if (type === 'child.started') wanted.add(childId)
      if (type !== 'child.completed' && type !== 'child.failed') continue
      const detail = differenceOf(type, data, logs.get(childId)?.at(-1))
      if (detail !== undefined) violations.push({ runId, kind: 'wrong', rule: 'children', detail })
    }
  }
  for (const runId of runIds) {
    if (wanted.has(runId)) continue
    violations.push({ runId, kind: 'doubled', rule: 'start', detail: 'Nobody asked for this run.' })
  }
  return violations
}

function differenceOf(type: string, data: Event['data'], end: Event | undefined): string | undefined {
  const wasRefused = type === 'child.failed' && end === undefined
  if (wasRefused) return undefined
  const isCompleted = end?.type === 'run.completed'
  if (isCompleted !== (type === 'child.completed'))
    return `${type}, and the child's last event is ${end?.type}.`
  if (isCompleted && JSON.stringify(end?.data.result) !== JSON.stringify(data.result))
    return `The result ${JSON.stringify(data.result)} is not what the child came to.`
  return undefined
}

/** Of a workflow with a limit no more are under way at once, by the numbers of the log. */
export async function checkLimits(store: Store, runIds: readonly string[]): Promise<Violation[]> {
  const logs = await logsOf(store, runIds)
  const byWorkflow = Map.groupBy(logs, ([, [created]]) => created?.data.workflow)
  return [...byWorkflow].flatMap(([workflow, ofIt]) => {
    const limits = limitsOf(workflow)
    return limits === undefined ? [] : tooMany(new Map(ofIt), limits.limit)
  })
}

function tooMany(logs: Logs, limit: number): Violation[] {
  const moments: { seq: number; change: number; runId: string }[] = []
  for (const [runId, events] of logs) {
    const start = beginningOf(events)
    const end = events.find(isEnd)
    if (start === undefined) continue
    moments.push({ seq: start.seq, change: 1, runId })
    if (end !== undefined) moments.push({ seq: end.seq, change: -1, runId })
  }
  let underWay = 0
  for (const { change, runId } of moments.sort((a, b) => a.seq - b.seq)) {
    underWay += change
    if (underWay <= limit) continue
    const detail = `${underWay} runs are under way, and ${limit} may be.`
    return [{ runId, kind: 'wrong', rule: 'concurrency', detail }]
  }
  return []
}
