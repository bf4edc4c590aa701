import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { problem } from '@kyros/contract/problem'

export type Passwords = {
  /** @throws rate_limit_exceeded when too many wait already */
  hash(password: string): Promise<string>
  /**
   * Takes the same time with and without a hash, so that nobody learns which users exist.
   * @throws rate_limit_exceeded when too many wait already
   */
  verify(password: string, hash: string | undefined): Promise<{ matches: boolean; outdated: boolean }>
}

type Cost = { memory: number; passes: number; parallelism: number }

// OWASP's first choice for argon2id; memory is in KiB.
const cost: Cost = { memory: 19_456, passes: 2, parallelism: 1 }
const tagLength = 32
const saltBytes = 16
// A hash takes 19 MiB and one of libuv's four threads, which files and DNS need too.
const defaultLimits = { maxAtOnce: 2, maxWaiting: 64 }
// A hash of our own store is trusted, but not with the whole memory of the machine.
const maxMemory = 256 * 1024
const derive = promisify(argon2)

/** Hashes passwords with argon2id off the serving loop, a few at a time. */
export function createPasswords(limits = defaultLimits): Passwords {
  const limited = createGate(limits.maxAtOnce, limits.maxWaiting)
  // For users that do not exist: costs as much as a real one and matches nothing.
  const nobody = phc(cost, randomBytes(saltBytes), randomBytes(tagLength))
  return {
    hash: (password) =>
      limited(async () => {
        const salt = randomBytes(saltBytes)
        return phc(cost, salt, await deriveTag(password, salt, cost, tagLength))
      }),
    verify: (password, hash) =>
      limited(async () => {
        const parsed = parsePhc(hash ?? nobody) ?? parsePhc(nobody)
        if (!parsed) return { matches: false, outdated: false }
        const tag = await deriveTag(password, parsed.salt, parsed.cost, parsed.tag.length)
        const matches = timingSafeEqual(tag, parsed.tag) && hash !== undefined
        return { matches, outdated: matches && parsed.isOutdated }
      }),
  }
}

function deriveTag(password: string, salt: Buffer, { memory, passes, parallelism }: Cost, length: number) {
  // The same letters typed on two keyboards can be two texts; NFC makes them one.
  const message = password.normalize('NFC')
  return derive('argon2id', { message, nonce: salt, memory, passes, parallelism, tagLength: length })
}

function phc({ memory, passes, parallelism }: Cost, salt: Buffer, tag: Buffer): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

function parsePhc(text: string) {
  const [, m = '', t = '', p = '', salt = '', tag = ''] = phcPattern.exec(text) ?? []
  if (tag === '') return undefined
  const parsed: Cost = { memory: Number(m), passes: Number(t), parallelism: Number(p) }
  if (parsed.memory > maxMemory || parsed.memory < 8 * parsed.parallelism || parsed.passes < 1)
    return undefined
  return {
    cost: parsed,
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
    isOutdated: JSON.stringify(parsed) !== JSON.stringify(cost),
  }
}

/** Runs at most `atOnce` at a time, lets `waiting` wait and refuses the rest. */
function createGate(atOnce: number, waiting: number) {
  let running = 0
  const queue: (() => void)[] = []
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (queue.length >= waiting) {
        throw problem('rate_limit_exceeded', {
          detail: 'Too many people sign in at this moment. Try again in a second.',
          retryAfterSeconds: 1,
        })
      }
      // Whoever ends hands its place on, so that nobody can slip in between.
      await new Promise<void>((resolve) => queue.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next) next()
      else running -= 1
    }
  }
}
