import { timingSafeEqual } from 'node:crypto'
import { atLeast, type Role } from '@kyros/contract/auth'
import { type ProblemError, problem } from '@kyros/contract/problem'
import type { Clock } from '@kyros/kernel/clock'
import type { Log } from '@kyros/kernel/log'
import type { Caller, Credentials, Verifier } from '@kyros/kernel/verifier'
import type { Store } from '@kyros/store/store'
import { isApiKey } from './api-key.ts'
import { hashSecret } from './refresh-token.ts'
import type { AccessTokens } from './token.ts'

/** The store's verifier. `revoked` makes a revocation of this process count at once. */
export type StoreVerifier = Verifier & { revoked(): void }

export type VerifierOptions = {
  store: Store
  tokens: AccessTokens
  clock: Clock
  log: Log
  /** The token in the data directory that the command line uses on the same machine. */
  localToken?: string | undefined
}

type Verified = {
  caller: Caller
  expiresMs: number
  apiKey?: { id: string; touchedMs: number }
}

const maxVerified = 10_000
// A revocation in another process counts here after this time at the latest.
const epochCheckMs = 1000
const touchMs = 60_000
// Who the first admin is may change: it is looked up again after this time.
const localMs = 10_000

/**
 * Checks tokens, sessions and API keys against the store. What was verified is kept by its hash until it expires,
 * and forgotten as soon as anything is revoked: a request costs one hash, not a query.
 */
export function createVerifier(options: VerifierOptions): StoreVerifier {
  const { store, clock } = options
  const cache = createVerifiedCache(store, clock)
  const verify = async (credentials: Credentials): Promise<Caller> => {
    const secret = credentials.kind === 'api_key' ? credentials.key : credentials.token
    const via = credentials.kind
    await cache.refresh()
    const key = `${via}:${hashSecret(secret)}`
    const known = cache.get(key)
    if (known) {
      touch(options, known)
      return known.caller
    }
    const generation = cache.generation()
    const found = await read(options, secret, via)
    cache.put(key, found, generation)
    touch(options, found)
    return found.caller
  }
  return Object.assign(verify, { revoked: cache.clear })
}

function read(options: VerifierOptions, secret: string, via: Credentials['kind']): Promise<Verified> {
  const { localToken } = options
  if (via === 'bearer' && localToken !== undefined && isEqual(secret, localToken)) return readLocal(options)
  const isKey = via === 'api_key' || (via === 'bearer' && isApiKey(secret))
  return isKey ? readApiKey(options, secret) : readSession(options, secret, via)
}

async function readSession(
  { store, tokens, clock }: VerifierOptions,
  token: string,
  via: Credentials['kind'],
): Promise<Verified> {
  const claims = tokens.read(token)
  const [isLive, user] = await Promise.all([
    store.sessions.isLive(claims.sessionId, clock.nowMs()),
    store.users.get(claims.userId),
  ])
  if (!isLive || !user?.active) throw ended()
  // The role is the user's role now; the one in the token is for servers without this store.
  const caller: Caller = {
    id: `user:${user.id}`,
    userId: user.id,
    role: user.role,
    via,
    sessionId: claims.sessionId,
  }
  return { caller, expiresMs: claims.expiresMs }
}

async function readApiKey({ store, clock }: VerifierOptions, secret: string): Promise<Verified> {
  const found = isApiKey(secret) ? await store.apiKeys.byHash(hashSecret(secret)) : undefined
  const expiresMs = found?.expires_at ? Date.parse(found.expires_at) : Number.POSITIVE_INFINITY
  if (!found?.user.active || expiresMs <= clock.nowMs()) {
    throw problem('token_invalid', { detail: 'The API key is unknown, expired or revoked. Create another.' })
  }
  const caller: Caller = {
    id: `key:${found.id}`,
    userId: found.user_id,
    role: lower(found.role, found.user.role),
    via: 'api_key',
  }
  const touchedMs = found.last_used_at ? Date.parse(found.last_used_at) : 0
  return { caller, expiresMs, apiKey: { id: found.id, touchedMs } }
}

/** The command line on this machine acts as the first admin, under a name of its own in the log. */
async function readLocal({ store, clock }: VerifierOptions): Promise<Verified> {
  const users = await store.users.list()
  const admin = users.find((user) => user.role === 'admin' && user.active)
  const caller: Caller = { id: 'local:cli', userId: admin?.id ?? 'local:cli', role: 'admin', via: 'local' }
  return { caller, expiresMs: clock.nowMs() + localMs }
}

/** Notes the use of a key at most once a minute; the request does not wait for it. */
function touch({ store, clock, log }: VerifierOptions, { apiKey }: Verified): void {
  const nowMs = clock.nowMs()
  if (!apiKey || nowMs - apiKey.touchedMs < touchMs) return
  apiKey.touchedMs = nowMs
  store.write({ kind: 'touch_api_key', id: apiKey.id, timeMs: nowMs }).catch((error: unknown) => {
    log.warn({ err: error }, 'use of an API key was not noted')
  })
}

function createVerifiedCache(store: Store, clock: Clock) {
  const verified = new Map<string, Verified>()
  let generation = 0
  let epoch: number | undefined
  let checkedMs = Number.NEGATIVE_INFINITY
  let checking: Promise<void> | undefined
  const clear = () => {
    generation += 1
    verified.clear()
  }
  const check = async () => {
    const startedMs = clock.nowMs()
    const current = await store.sessions.revocationEpoch()
    if (current !== epoch) clear()
    epoch = current
    checkedMs = startedMs
  }
  return {
    clear,
    generation: () => generation,
    /** Fails when the store does not answer: without it nobody knows what is still valid. */
    refresh: async () => {
      if (clock.nowMs() - checkedMs < epochCheckMs) return
      checking ??= check().finally(() => {
        checking = undefined
      })
      await checking
    },
    get: (key: string): Verified | undefined => {
      const found = verified.get(key)
      if (!found) return undefined
      verified.delete(key)
      if (found.expiresMs <= clock.nowMs()) return undefined
      // To the end of the line: what was not used for longest is forgotten first.
      verified.set(key, found)
      return found
    },
    /** `since`: the generation before the store was asked; what was revoked meanwhile is not kept. */
    put: (key: string, entry: Verified, since: number) => {
      if (since !== generation) return
      verified.set(key, entry)
      const oldest = verified.size > maxVerified ? verified.keys().next().value : undefined
      if (oldest !== undefined) verified.delete(oldest)
    },
  }
}

function lower(a: Role, b: Role): Role {
  return atLeast(a, b) ? b : a
}

function isEqual(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(given)), Buffer.from(hashSecret(expected)))
}

function ended(): ProblemError {
  return problem('token_invalid', { detail: 'The session has ended. Sign in again.' })
}
