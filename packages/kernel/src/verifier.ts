import type { Role } from '@kyros/contract/auth'

/** Who is asking. `id` goes into events and idempotency keys: `user:<id>`, `key:<id>`, `local:cli`. */
export type Caller = {
  id: string
  userId: string
  role: Role
  via: 'bearer' | 'api_key' | 'cookie' | 'local'
  sessionId?: string
}

/** What a request presented. */
export type Credentials =
  | { kind: 'bearer'; token: string }
  | { kind: 'api_key'; key: string }
  | { kind: 'cookie'; token: string }

/**
 * Answers who a token, key or session is: the store's in one process, a remote one in a split deployment.
 * @throws token_invalid
 */
export type Verifier = (credentials: Credentials) => Promise<Caller>
