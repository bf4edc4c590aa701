import type { Json } from '@kyros/contract/json'
import type { IdempotencyKey } from '@kyros/kernel/idempotency'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { messageIdOf } from '../http/message-id.ts'

/**
 * Changes a run and waits for what it says. A repeat with the same key and body is the same update, another body
 * another one. @throws run_not_found, run_ended, update_unknown, update_rejected, update_failed, update_pending
 */
export async function updateRun(
  { engine, newId }: ApiContext,
  { id, name }: { id: string; name: string },
  payload: Json,
  caller: Caller,
  key?: IdempotencyKey,
): Promise<{ result: Json }> {
  const updateId = key === undefined ? newId() : messageIdOf(key)
  return { result: await engine.update(id, name, payload, { updateId, principal: caller }) }
}
