import type { InboxMessage } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { EngineLog } from './engine-parts.ts'
import { isProblem } from './is-problem.ts'
import type { RunTable } from './run-table.ts'

const pageSize = 500

/**
 * Does what other processes asked for, in order, until `signal` aborts. A message is taken off only after its effect is
 * on disk, and a signal carries the message's id, so a crash in between repeats nothing.
 */
export async function drainInbox(
  store: Store,
  table: RunTable,
  log: EngineLog,
  signal: AbortSignal,
): Promise<void> {
  let after = 0
  const drain = async () => {
    for (;;) {
      const messages = await store.inbox.list(after, pageSize)
      for (const { id, message } of messages) {
        if (signal.aborted) return
        await obey(table, message, id)
        after = id
      }
      if (messages.length > 0) await store.write({ kind: 'take_inbox', upToId: after })
      if (messages.length < pageSize) return
    }
  }
  const drainSafely = () =>
    drain().catch((error: unknown) => log('warn', `The engine's inbox is read again: ${String(error)}`))
  await drainSafely()
  for await (const _ of store.inbox.changes(signal)) await drainSafely()
}

async function obey(table: RunTable, message: InboxMessage, id: number): Promise<void> {
  const run = await table.find(message.runId)
  if (run === undefined || message.type === 'accept') return
  try {
    if (message.type === 'cancel') await run.cancel(message.reason, message.actor)
    else await run.signal(message.signal, message.payload, message.actor, id)
  } catch (error) {
    // It ended after the message was accepted: nobody is left to tell.
    if (!isProblem(error, 'run_ended')) throw error
  }
}
