import type { Json, JsonObject } from '@kyros/contract/json'
import type { Store } from '@kyros/store/store'
import type { PayloadCodec } from '@temporalio/common'
import { readRun } from '../embedded/operations/read-run.ts'
import type { Executions } from '../engine.ts'
import { keptCodeOf } from './build-code.ts'
import type { Cluster } from './cluster.ts'
import { isObject, shownValue, showPayloads } from './executions-json.ts'
import { PayloadUnreadable } from './payload-cipher.ts'
import type { TemporalHistoryEvent } from './read-history.ts'

export type ExecutionsParts = {
  readonly store: Store
  readonly cluster: Cluster
  readonly codecs: readonly PayloadCodec[]
}

/** Of a run with more parts, or more events in them, the newest are read. */
const maxParts = 20
const maxEvents = 60_000

const nothing: Executions = { build: '', histories: [], isWhole: false }

/** What the cluster has of a run, and the code that moved it. @throws run_not_found, temporal_unavailable */
export async function readExecutions(
  { store, cluster, codecs }: ExecutionsParts,
  runId: string,
  knownBuild: string | undefined,
): Promise<Executions> {
  const { continued = 0 } = await readRun(store, runId)
  const histories: JsonObject[] = []
  let build = ''
  let seen = 0
  let next: { workflowId: string; runId?: string } | undefined = { workflowId: runId }
  while (next !== undefined && histories.length < maxParts) {
    const events = await readEvents(cluster, next)
    const [first] = events
    // A cluster forgets what has ended long ago.
    if (first === undefined) break
    const own = buildOfPart(events)
    build ||= own
    seen += events.length
    // What another build moved before an upgrade is not what this one can repeat.
    if (own !== build || (histories.length > 0 && seen > maxEvents)) break
    const part = await readable(writtenPart(events, codecs))
    if (part === undefined) break
    histories.unshift(part)
    const before: string | null | undefined =
      first.workflowExecutionStartedEventAttributes?.continuedExecutionRunId
    next = before ? { workflowId: runId, runId: before } : undefined
  }
  if (histories.length === 0) return nothing
  const kept = knownBuild === build ? {} : { code: await keptCodeOf(store, build) }
  // Parts before the first on the cluster were moved by the embedded engine.
  return { build, ...kept, histories, isWhole: next === undefined && histories.length > continued }
}

/** Undefined where a payload cannot be read any more: its key is gone, or retention took what lay beside the history. */
async function readable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof PayloadUnreadable) return undefined
    throw error
  }
}

/** The build that did its last workflow task; empty for a part that none has begun. */
function buildOfPart(events: readonly TemporalHistoryEvent[]): string {
  const last = events.findLast((event) => event.workflowTaskCompletedEventAttributes)
  return last?.workflowTaskCompletedEventAttributes?.deploymentVersion?.buildId ?? ''
}

async function readEvents(
  cluster: Cluster,
  execution: { workflowId: string; runId?: string },
): Promise<TemporalHistoryEvent[]> {
  const events: TemporalHistoryEvent[] = []
  let token: Uint8Array | undefined
  do {
    const page = await cluster.history(execution, token, false)
    events.push(...(page?.events ?? []))
    token = page?.nextPageToken
  } while (token !== undefined)
  return events
}

async function writtenPart(
  events: readonly TemporalHistoryEvent[],
  codecs: readonly PayloadCodec[],
): Promise<JsonObject> {
  const { historyToJSON } = await import('@temporalio/common/lib/proto-utils.js')
  const written: Json = JSON.parse(historyToJSON({ events: [...events] }))
  const slim = isObject(written) && Array.isArray(written.events) ? written.events.map(withoutAsked) : []
  const shown = await showPayloads(slim, async (payload) => {
    let opened = payload
    for (const codec of codecs.toReversed()) {
      const [decoded = opened] = await codec.decode([opened])
      opened = { metadata: decoded.metadata ?? {}, data: decoded.data ?? new Uint8Array() }
    }
    return opened
  })
  return { events: Array.isArray(shown) ? shown.map(withoutSecret) : [] }
}

/** What a definition gave, beside its name, is not compared: a replay has no need of it. */
const asked: { readonly [attributes: string]: readonly string[] } = {
  activityTaskScheduledEventAttributes: ['input', 'header'],
  startChildWorkflowExecutionInitiatedEventAttributes: ['input', 'header', 'memo'],
  workflowExecutionContinuedAsNewEventAttributes: ['input', 'header', 'memo', 'lastCompletionResult'],
}

function withoutAsked(event: Json): Json {
  if (!isObject(event)) return event
  const fields = Object.entries(event).map(([name, attributes]): [string, Json] => {
    const unneeded = asked[name]
    if (unneeded === undefined || !isObject(attributes)) return [name, attributes]
    return [name, Object.fromEntries(Object.entries(attributes).filter(([key]) => !unneeded.includes(key)))]
  })
  return Object.fromEntries(fields)
}

/** Who has the secret of a run can answer its waitpoints: nobody is told it. */
function withoutSecret(event: Json): Json {
  const attributes = isObject(event) ? event.workflowExecutionStartedEventAttributes : undefined
  const input = isObject(attributes) ? attributes.input : undefined
  const [, second] = isObject(input) && Array.isArray(input.payloads) ? input.payloads : []
  const started = shownValue(second)
  if (isObject(started) && isObject(started.live)) started.live.secret = ''
  return event
}
