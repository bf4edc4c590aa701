import { isProblem, problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import type { InboxMessage, NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import type { Message } from '../embedded/obey-message.ts'
import { operationIn } from '../embedded/operations/operate.ts'
import { takeIn } from '../embedded/payload.ts'
import type { EngineClock } from '../embedded/timers.ts'
import type { Cluster } from './cluster.ts'
import { budgetData, usedData } from './control-data.ts'
import type { PendingRun } from './pending-run.ts'
import type { PendingTable } from './pending-table.ts'
import { signals } from './start-facts.ts'

export type RunMessagesParts = {
  readonly store: Store
  readonly clock: EngineClock
  readonly cluster: Pick<Cluster, 'signal' | 'cancel' | 'terminate' | 'beginUpdate'>
  readonly pending: PendingTable
}

const pageEvents = 500

function updateIdOf(message: InboxMessage): string | undefined {
  const operation = message.type === 'operate' ? operationIn(message) : undefined
  return operation?.kind === 'update' ? operation.updateId : undefined
}

/** Does what messages ask of runs: in Kyros while they have not begun, on the cluster from then on. */
export class RunMessages {
  readonly #parts: RunMessagesParts

  constructor(parts: RunMessagesParts) {
    this.#parts = parts
  }

  /** Durable when this resolves; by its id a message is taken once. A run that has ended takes nothing more. */
  async obey({ id, message }: Message): Promise<void> {
    const { runId } = message
    const { pending, clock } = this.#parts
    const decide = (run: PendingRun) => eventsFor(run, message, clock.nowMs(), id)
    if (await pending.change(runId, decide, id)) return
    if (await this.#isTaken(message, id)) return
    if (!(await this.#send(message, id))) await this.#mustHaveEnded(runId)
  }

  /** What the cluster does not know may not have come there yet, as a child whose start is on its way. */
  async #mustHaveEnded(runId: string): Promise<void> {
    const record = await this.#parts.store.runs.get(runId)
    if (record === undefined || isTerminal(record.status)) return
    const detail = `The cluster does not have the run ${runId} now. What was asked of it is tried again.`
    throw problem('service_not_ready', { detail })
  }

  /** As the inbox keeps it: large payloads lie beside it. @throws body_too_large */
  async storable(message: InboxMessage): Promise<InboxMessage> {
    if (message.type !== 'signal') return message
    const { signal, payload } = message
    return {
      ...message,
      payload: await takeIn(payload, `The payload of signal ${signal}`, this.#parts.store.blobs),
    }
  }

  /** Whether the signal with this id was taken before the run ended. */
  async wasTaken(runId: string, signalId: string, error: unknown): Promise<boolean> {
    if (!isProblem(error, 'run_ended')) return false
    const events = await this.#parts.store.events.ofRun(runId)
    return events.some(({ type, data }) => type === 'signal.received' && data.signal_id === signalId)
  }

  /**
   * Whether the log has the message already: taken before the run began, or by an earlier part of it. Of one part the
   * cluster itself remembers what it took.
   */
  async #isTaken(message: InboxMessage, inboxId: number): Promise<boolean> {
    const { store } = this.#parts
    const record = await store.runs.get(message.runId)
    const signalId = message.type === 'signal' ? message.signalId : undefined
    // The cluster knows an update's id in one part only, and nothing of those before it had the run.
    const updateId = updateIdOf(message)
    const isLater = (record?.continued ?? 0) > 0
    for (let after = 0; ; after += pageEvents) {
      const events = await store.events.ofRun(message.runId, after, pageEvents)
      const isTaken = events.some(
        ({ data }) =>
          data.inbox_id === inboxId ||
          (signalId !== undefined && data.signal_id === signalId) ||
          (updateId !== undefined && data.update_id === updateId),
      )
      if (isTaken) return true
      // What is done to a run before it begins is in front of what its history says.
      const hasBegun = !isLater && events.some(({ data }) => 'history' in data)
      if (hasBegun || events.length < pageEvents) return false
    }
  }

  /** False: the cluster does not have the run. */
  async #send(message: InboxMessage, inboxId: number): Promise<boolean> {
    const { runId } = message
    const id = { inbox_id: inboxId }
    const request = `inbox-${inboxId}`
    const { cluster, store } = this.#parts
    switch (message.type) {
      case 'accept':
        return true
      case 'cancel':
        return this.#cancel(message, request)
      case 'signal': {
        const { signal, actor, signalId } = message
        const meta = { actor, ...id, ...(signalId === undefined ? {} : { signal_id: signalId }) }
        const payload = await fromStored(message.payload, store.blobs)
        return cluster.signal(runId, signal, [payload, meta], signalId ?? request)
      }
      case 'operate': {
        const isThere = await this.#otherwise(message)
        if (isThere !== undefined) return isThere
        const [signal, payload] = await this.#operation(message)
        return cluster.signal(runId, signal, [payload, { actor: message.actor, ...id }], request)
      }
    }
  }

  async #cancel({ runId, reason, actor }: Extract<InboxMessage, { type: 'cancel' }>, request: string) {
    const { cluster, store } = this.#parts
    const record = await store.runs.get(runId)
    // A definition that is blocked would never hear of it.
    if (record?.status === 'waiting' && record.reason === 'blocked') {
      return cluster.terminate(runId, reason)
    }
    await cluster.signal(runId, signals.cancel, [reason, { actor }], `${request}-why`)
    return cluster.cancel(runId, request)
  }

  /**
   * Two that a run takes on the embedded engine by its inbox, and that were there when it came from it. Who asked for an
   * upgrade has heard that it was not carried out. Undefined: it is another.
   */
  async #otherwise(message: Extract<InboxMessage, { type: 'operate' }>): Promise<boolean | undefined> {
    const operation = operationIn(message)
    if (operation.kind !== 'update') return operation.kind === 'upgrade' ? true : undefined
    const { name, updateId, stored } = operation
    const { cluster, store } = this.#parts
    const payload = await fromStored(stored, store.blobs)
    return cluster.beginUpdate(message.runId, name, [payload, { actor: message.actor }], updateId)
  }

  async #operation(message: Extract<InboxMessage, { type: 'operate' }>): Promise<[string, unknown]> {
    const operation = operationIn(message)
    switch (operation.kind) {
      case 'pause':
        return [signals.pause, null]
      case 'resume':
        return [signals.resume, null]
      case 'set_budget':
        return [signals.budget, operation.limits]
      case 'report_usage':
        return [signals.usage, operation.used]
      case 'answer_waitpoint': {
        const { part, command, stored } = operation
        return [
          signals.waitpoint,
          { part, command, payload: await fromStored(stored, this.#parts.store.blobs) },
        ]
      }
      default:
        throw new Error(`The operation ${operation.kind} does not go over the inbox.`)
    }
  }
}

/** What a message does to a run that has not begun. @throws run_not_paused */
function eventsFor(
  run: PendingRun,
  message: InboxMessage,
  timeMs: number,
  inboxId: number | undefined,
): NewRunEvent[] | undefined {
  const by = inboxId === undefined ? {} : { inbox_id: inboxId }
  switch (message.type) {
    case 'accept':
      return undefined
    case 'cancel': {
      const { reason, actor } = message
      return [
        { type: 'run.cancel_requested', timeMs, actor, data: { reason } },
        // Border cast: type and data belong together.
        ...(run.fork?.openEnds ?? []).map((end) => ({ ...end, timeMs }) as NewRunEvent),
        { type: 'run.cancelled', timeMs, data: { reason } },
      ]
    }
    case 'signal': {
      const { signal, payload, actor, signalId } = message
      if (signalId !== undefined && run.signalIds.has(signalId)) return undefined
      const id = signalId === undefined ? {} : { signal_id: signalId }
      return [{ type: 'signal.received', timeMs, actor, data: { signal, payload, ...id, ...by } }]
    }
    case 'operate':
      return operated(run, message, timeMs, by)
  }
}

function operated(
  run: PendingRun,
  message: Extract<InboxMessage, { type: 'operate' }>,
  timeMs: number,
  by: { inbox_id?: number },
): NewRunEvent[] | undefined {
  const operation = operationIn(message)
  const { actor } = message
  switch (operation.kind) {
    case 'pause':
      if (run.pausedBy !== undefined) return undefined
      return [{ type: 'run.pause_requested', timeMs, actor, data: by }]
    case 'resume':
      if (run.pausedBy === undefined) {
        throw problem('run_not_paused', { detail: `The run ${run.facts.runId} is not paused.` })
      }
      return [
        { type: 'run.resume_requested', timeMs, actor, data: by },
        { type: 'run.resumed', timeMs, data: {} },
      ]
    case 'set_budget': {
      const limits = { ...run.limits, ...operation.limits }
      return [{ type: 'run.budget_set', timeMs, actor, data: { ...budgetData(limits), ...by } }]
    }
    case 'report_usage':
      return [{ type: 'budget.used', timeMs, data: { ...usedData(operation.used), ...by } }]
    default:
      return undefined
  }
}
