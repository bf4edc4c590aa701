import type { Json } from '@kyros/contract/json'
import type { IdempotencyKey } from '@kyros/kernel/idempotency'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { messageIdOf } from '../http/message-id.ts'

// It stands in the event and in memory as long as the run does: 128 bits are no coincidence.
const idChars = 32

/**
 * Sends a signal into a run; durable when this resolves. A repeat with the same key and body is the same signal, also
 * after the run has ended; another body is another one. @throws run_not_found, run_ended
 */
export async function signalRun(
  { engine }: ApiContext,
  { id, name }: { id: string; name: string },
  payload: Json,
  caller: Caller,
  key?: IdempotencyKey,
): Promise<{ message: string }> {
  const signalId = key === undefined ? undefined : messageIdOf(key).slice(0, idChars)
  await engine.signal(id, name, payload, caller, signalId)
  return { message: `Signal ${name} was sent` }
}
