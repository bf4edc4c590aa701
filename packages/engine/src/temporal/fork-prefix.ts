import { type CarriedSignal, type Event, isRunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import { asNewEvent, originOf, readHistory, withPayloads } from '../embedded/history.ts'
import { endsOfOpen } from '../embedded/operations/fork-history.ts'
import { currentPart } from '../embedded/operations/scratch-replay.ts'
import { seenBy } from '../embedded/run-facts.ts'
import { recordedCommand } from '../embedded/workflow-command.ts'
import type { Prefix, PrefixCommand, PrefixOutcome } from './start-facts.ts'

/** What the log of a fork that the cluster does not know yet says of its beginning. */
export type ForkStart = {
  readonly prefix: Omit<Prefix, 'waits'>
  /** Whose dice it rolls, and as which attempt. */
  readonly seen: { seed?: string; attempt?: number }
  /** Where it takes over a later part of a run than the first. */
  readonly part?: { part: number; input: Json; carried: CarriedSignal[]; loop?: { state: Json } }
  /** What its log is told when it ends before it began. */
  readonly openEnds: ReturnType<typeof endsOfOpen>
}

const unplayable: { readonly [type: string]: string } = {
  'child.started': 'a child that has ended',
  'waitpoint.created': 'a waitpoint',
  'update.accepted': 'an update',
  'run.cancel_requested': 'a request to cancel it',
}

/**
 * Of its own past a run on a cluster can be told steps, timers, signals, patches and attributes.
 * @throws run_fork_unsupported
 */
export function mustBePlayable(taken: readonly NewRunEvent[], runId: string): void {
  const found = new Set(currentPart(taken).flatMap(({ type }) => unplayable[type] ?? []))
  if (found.size === 0) return
  const what = [...found].join(', ')
  throw problem('run_fork_unsupported', {
    detail: `Before this step the run ${runId} has ${what}, which a fork on Temporal cannot take over. Fork from an earlier step, or try the job again.`,
  })
}

/** Undefined for a run that is no fork. Payloads are resolved. @throws StoredValueLost */
export async function readForkStart(
  runId: string,
  events: readonly Event[],
  store: Store,
): Promise<ForkStart | undefined> {
  const said = events.filter((event) => isRunEvent(event)).map((event) => asNewEvent(event))
  if (!said.some(({ type }) => type === 'run.forked')) return undefined
  const heard = await Promise.all(
    currentPart(said).map((event) => (isUnheard(event) ? event : withPayloads(event, store))),
  )
  const [first] = heard
  const part = first?.type === 'run.continued' ? { part: partOf(first.data) } : {}
  return {
    prefix: prefixOf(heard),
    seen: seenBy(originOf(said)),
    ...part,
    openEnds: endsOfOpen(await readHistory(store, runId)),
  }
}

function partOf({ input, part = 1, carried, loop }: ContinuedData) {
  return { part, input, carried, ...(loop === undefined ? {} : { loop }) }
}

type ContinuedData = Extract<NewRunEvent, { type: 'run.continued' }>['data']

/** What went into a run or a step is not shown to the definition again. */
const isUnheard = ({ type }: NewRunEvent) => type === 'run.created' || type === 'step.scheduled'

function prefixOf(events: readonly NewRunEvent[]): Omit<Prefix, 'waits'> {
  const commands = new Map<number, PrefixCommand>()
  const outcomes: PrefixOutcome[] = []
  let startedMs = 0
  for (const event of events) {
    if (event.type === 'run.started' || event.type === 'run.continued') startedMs = event.timeMs
    const recorded = recordedCommand(event)
    if (recorded !== undefined) {
      const { command, kind, name } = recorded
      const ended = kind === 'value' || kind === 'attributes'
      const fireAt = event.type === 'timer.started' ? { fireAtMs: Date.parse(event.data.fire_at) } : {}
      commands.set(command, { command, kind, name, ended, ...fireAt })
    }
    const outcome = outcomeOf(event)
    if (outcome !== undefined) outcomes.push({ ...outcome, timeMs: event.timeMs })
    const end = endedBy(event)
    const known = end === undefined ? undefined : commands.get(end)
    if (known !== undefined) commands.set(known.command, { ...known, ended: true })
  }
  return { startedMs, commands: [...commands.values()], outcomes }
}

function outcomeOf(event: NewRunEvent): PrefixOutcome | undefined {
  switch (event.type) {
    case 'step.completed':
      return { kind: 'completed', command: event.data.command, output: event.data.output }
    case 'step.failed': {
      const { command, attempt, error, retry_at } = event.data
      return retry_at === undefined ? { kind: 'failed', command, attempt, error } : undefined
    }
    case 'timer.fired':
      return { kind: 'fired', command: event.data.command }
    case 'signal.received':
      return { kind: 'signal', signal: event.data.signal, payload: event.data.payload }
    default:
      return undefined
  }
}

/** The command that this is the end of. */
function endedBy(event: NewRunEvent): number | undefined {
  if (event.type === 'step.cancelled' || event.type === 'timer.cancelled') return event.data.command
  const outcome = outcomeOf(event)
  return outcome === undefined || outcome.kind === 'signal' ? undefined : outcome.command
}
