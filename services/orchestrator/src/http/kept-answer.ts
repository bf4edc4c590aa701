import type { Json } from '@kyros/contract/json'
import type { IdempotencyKey } from '@kyros/kernel/idempotency'
import type { Idempotency } from '@kyros/store/command'

/** What a request that creates says of itself beside its body. */
export type Asked = { idempotency?: IdempotencyKey | undefined; traceparent?: string | undefined }

/**
 * What the store keeps in the commit that creates: the first answer, for whoever repeats the request. Empty when
 * the request had no key.
 */
export function keptAnswer(
  key: IdempotencyKey | undefined,
  answer: { status: number; response: unknown; createdMs: number },
): { idempotency?: Idempotency } {
  if (key === undefined) return {}
  // Answers are JSON: their schemas say so, their types cannot.
  return { idempotency: { ...key, ...answer, response: answer.response as Json } }
}
