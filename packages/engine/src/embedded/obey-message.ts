import { isProblem, ProblemError } from '@kyros/contract/problem'
import type { InboxMessage } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import type { LiveRun } from './live-run.ts'
import type { RunTable } from './run-table.ts'

/** Does what a message asks beside signals and cancellations. */
export type OnOperation = (run: LiveRun, message: OperateMessage, id: number) => Promise<void>
export type OperateMessage = Extract<InboxMessage, { type: 'operate' }>

export type Message = { readonly id: number; readonly message: InboxMessage }

// About ten minutes: who asked for it has its acknowledgement, and a fault may be seen to meanwhile.
const maxTries = 20
// Who asked for an upgrade has heard that it was not carried out, and signals wait behind it.
const maxUpgradeTries = 4
const firstPauseMs = 50
const longestPauseMs = 60_000

/** Does what a message asks; durable when this resolves. @throws what may be different at the next try */
export async function obey(
  { table, operate, store }: { table: RunTable; operate: OnOperation; store: Pick<Store, 'blobs'> },
  { id, message }: Message,
): Promise<void> {
  const run = await table.find(message.runId)
  if (run === undefined || message.type === 'accept') return
  try {
    if (message.type === 'cancel') await run.cancel(message.reason, message.actor)
    else if (message.type === 'operate') await operate(run, message, id)
    else {
      const { payload: stored } = message
      await run.signal({ ...message, payload: await fromStored(stored, store.blobs), stored, inboxId: id })
    }
  } catch (error) {
    // It ended, or became another, after the message was accepted: nobody is left to tell.
    if (!(error instanceof ProblemError) || error.status >= 500) throw error
  }
}

const outages = [
  'store_unavailable',
  'storage_full',
  'temporal_unavailable',
  'temporal_namespace_missing',
  'temporal_refused',
] as const

/** An outage says nothing of the message: what was acknowledged waits for its end, however long that takes. */
export function isOutage(error: unknown): boolean {
  return outages.some((code) => isProblem(error, code))
}

/** After so many tries that failed by no outage the message is given up. */
export function triesOf(message: InboxMessage): number {
  return message.type === 'operate' && message.operation.kind === 'upgrade' ? maxUpgradeTries : maxTries
}

/** How long to wait after so many failures. */
export function pauseMsAfter(tries: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(tries, 16))
}

/** A message in a few words, for who reads the log. */
export function nameOf(message: InboxMessage): string {
  switch (message.type) {
    case 'accept':
      return 'the order to take it up'
    case 'cancel':
      return `the cancellation by ${message.actor}`
    case 'signal':
      return `the signal ${message.signal} of ${message.actor}`
    case 'operate':
      return `the order ${String(message.operation.kind)} of ${message.actor}`
  }
}
