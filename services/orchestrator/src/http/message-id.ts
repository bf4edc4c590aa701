import { hash } from 'node:crypto'
import type { IdempotencyKey } from '@kyros/kernel/idempotency'

/** Names what is sent into a run: the same key of the same caller with the same request is the same message. */
export function messageIdOf({ principal, key, fingerprint }: IdempotencyKey): string {
  return hash('sha256', JSON.stringify([principal, key, fingerprint]), 'hex')
}
