import { createHmac, timingSafeEqual } from 'node:crypto'

/** Which waitpoint of which run; commands count anew in each part of a run that continues as new. */
export type WaitpointRef = { runId: string; part: number; command: number }

/** `key`: 32 secret bytes, the same at every start. `id`: 8 characters of base64url that tell it from others. */
export type WaitpointKey = { readonly id: string; readonly key: Uint8Array }

export type WaitpointTokens = {
  /** `<key>.<run_id>.<command>.<mac>`; behind the first part of a run `<part>-<command>` instead of the command. */
  sign(ref: WaitpointRef): string
  /** Undefined for a token that was made with none of the keys. */
  read(token: string): WaitpointRef | undefined
}

const macBytes = 18

// Tokens that were made before keys had ids have none; they are of any key that fits.
const form = /^(?:([\w-]{8})\.)?(([0-9a-f-]{36})\.(?:(\d{1,9})-)?(\d{1,9}))\.([\w-]{24})$/

/**
 * Tokens that are not stored: whoever can show one was given it. The first key signs; those behind it are older ones
 * whose tokens still hold.
 */
export function createWaitpointTokens(keys: readonly [WaitpointKey, ...WaitpointKey[]]): WaitpointTokens {
  const [{ id, key }] = keys
  return {
    sign: ({ runId, part, command }) => {
      const subject = `${runId}.${part === 0 ? '' : `${part}-`}${command}`
      return `${id}.${subject}.${macOf(key, subject).toString('base64url')}`
    },
    read: (token) => {
      const parts = form.exec(token)
      if (parts === null) return undefined
      const [, keyId, subject = '', runId = '', part = '0', command = '', mac = ''] = parts
      const given = Buffer.from(mac, 'base64url')
      const isOf = (known: WaitpointKey) => timingSafeEqual(given, macOf(known.key, subject))
      const fitting = keyId === undefined ? keys : keys.filter((known) => known.id === keyId)
      if (given.length !== macBytes || !fitting.some(isOf)) return undefined
      return { runId, part: Number(part), command: Number(command) }
    },
  }
}

function macOf(key: Uint8Array, subject: string): Buffer {
  return createHmac('sha256', key).update(`waitpoint ${subject}`).digest().subarray(0, macBytes)
}
