import type { CarriedSignal, ForkOrigin, ParentLink, RunBefore } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import type { EngineParts } from './engine-parts.ts'
import type { Journal } from './journal.ts'
import { toJson } from './json-value.ts'
import type { RunControl } from './operations/run-control.ts'
import { toStored } from './payload.ts'
import type { RunAsks } from './run-asks.ts'
import type { RunFacts } from './run-facts.ts'
import type { RunSteps } from './run-steps.ts'
import type { Continuation, WorkflowHost } from './workflow-host.ts'

/** What the next part of a run takes over from it. */
export type PartsOf = {
  readonly facts: RunFacts
  readonly host: WorkflowHost | undefined
  readonly steps: Pick<RunSteps, 'activeMs'>
  readonly control: RunControl | undefined
  readonly parent: ParentLink | undefined
  readonly origin: ForkOrigin | undefined
  readonly asks: RunAsks | undefined
  readonly startedMs: number | undefined
  readonly seenInbox: ReadonlySet<number> | undefined
  readonly seenSignals: ReadonlySet<string> | undefined
  readonly journal: Pick<Journal, 'stampMs'>
  readonly ended: boolean
  readonly isClosed: boolean
  push(event: Pick<NewRunEvent, 'type' | 'data'>): NewRunEvent
  handOver(event: Pick<NewRunEvent, 'type' | 'data'>): void
  block(detail: string): void
  beginPart(facts: RunFacts, loaded: LoadedDefinition, event: NewRunEvent): void
}

type PartData = { input: Json; part: number; carried: CarriedSignal[]; loop?: { state: Json } }

type NextPartParts = Pick<EngineParts, 'store' | 'definitions' | 'handsOver'>

/** The run goes on as if it began here: its replay starts there, and its steps count anew. */
export async function beginNextPart(parts: NextPartParts, run: PartsOf, next: Continuation): Promise<void> {
  const { definition, version } = bundleOf(parts, run, next)
  const facts = { ...run.facts, definition, version }
  const loaded =
    definition === run.facts.definition ? run.host?.loaded : await parts.definitions.load(definition)
  const stored = await storedData(parts, next)
  if (run.isClosed || run.ended) return
  if (loaded === undefined) {
    run.block(`The bundle ${definition} of this run's next part is not in the store.`)
    return
  }
  const data = { ...stored, definition, version, before: before(run) }
  if (parts.handsOver() && mayLeave(run)) {
    run.handOver({ type: 'run.continued', data: { ...data, engine: 'temporal' } })
    return
  }
  const { timeMs } = run.push({ type: 'run.continued', data })
  const { input, part, carried, loop } = next
  const seen = { input, part, carried, definition, version, ...(loop === undefined ? {} : { loop }) }
  run.beginPart(facts, loaded, { type: 'run.continued', timeMs, data: seen })
}

/** Its parent, and children that do not know yet that it does not want them, hear of it on this engine alone. */
function mayLeave({ parent, asks }: PartsOf): boolean {
  if (parent !== undefined) return false
  return [...(asks?.children.leaving.values() ?? [])].every((policy) => policy === 'abandon')
}

function bundleOf(parts: Pick<EngineParts, 'definitions'>, { facts }: PartsOf, next: Continuation) {
  const newest = next.upgrade ? parts.definitions.startable.get(facts.workflow) : undefined
  return newest === undefined ? facts : { definition: newest.hash, version: newest.version }
}

/** As the log keeps it: what is large lies beside it. */
async function storedData(parts: Pick<EngineParts, 'store'>, next: Continuation): Promise<PartData> {
  const { blobs } = parts.store
  const { input, part, loop } = next
  const carried: CarriedSignal[] = []
  for (const { signal, payload } of next.carried) {
    carried.push({ signal, payload: await toStored(payload, `The payload of signal ${signal}`, blobs) })
  }
  const data: PartData = { input: await toStored(input, 'The input of the next part', blobs), part, carried }
  if (loop !== undefined) data.loop = { state: await toStored(loop.state, 'The state of the loop', blobs) }
  return data
}

// A message is taken off the inbox soon after its effect is on disk.
const maxKeptInboxIds = 1000
// Who repeats a signal does so soon.
const maxKeptSignalIds = 500

/** What outlives the parts of a run. */
function before(run: PartsOf): RunBefore {
  const nowMs = run.journal.stampMs()
  const { parent, origin, startedMs, seenSignals, seenInbox } = run
  const { traceparent } = run.facts
  const control = run.control?.history
  const leaving = [...(run.asks?.children.leaving ?? [])]
  return {
    started_ms: startedMs ?? nowMs,
    active_ms: run.steps.activeMs(nowMs),
    inbox_ids: [...(seenInbox ?? [])].slice(-maxKeptInboxIds),
    ...(seenSignals === undefined ? {} : { signal_ids: [...seenSignals].slice(-maxKeptSignalIds) }),
    ...(control === undefined ? {} : { control: toJson(control, 'The control of the run') }),
    ...(parent === undefined ? {} : { parent }),
    ...(origin === undefined ? {} : { origin }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(leaving.length === 0
      ? {}
      : { leaving: leaving.map(([run_id, parent_close]) => ({ run_id, parent_close })) }),
  }
}
