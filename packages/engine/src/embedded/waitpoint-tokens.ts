import { createHmac, timingSafeEqual } from 'node:crypto'

/** Which waitpoint of which run; commands count anew in each part of a run that continues as new. */
export type WaitpointRef = { runId: string; part: number; command: number }

export type WaitpointTokens = {
  /** `<run_id>.<command>.<mac>`; behind the first part of a run `<part>-<command>` instead of the command. */
  sign(ref: WaitpointRef): string
  /** Undefined for a token that was not made with this key. */
  read(token: string): WaitpointRef | undefined
}

const macBytes = 18

/** Tokens that are not stored: whoever can show one was given it. `key`: 32 secret bytes, the same at every start. */
export function createWaitpointTokens(key: Uint8Array): WaitpointTokens {
  const macOf = (subject: string) =>
    createHmac('sha256', key).update(`waitpoint ${subject}`).digest().subarray(0, macBytes)
  return {
    sign: ({ runId, part, command }) => {
      const subject = `${runId}.${part === 0 ? '' : `${part}-`}${command}`
      return `${subject}.${macOf(subject).toString('base64url')}`
    },
    read: (token) => {
      const parts = /^(([0-9a-f-]{36})\.(?:(\d{1,9})-)?(\d{1,9}))\.([\w-]{24})$/.exec(token)
      if (parts === null) return undefined
      const [, subject = '', runId = '', part = '0', command = '', mac = ''] = parts
      const given = Buffer.from(mac, 'base64url')
      if (given.length !== macBytes || !timingSafeEqual(given, macOf(subject))) return undefined
      return { runId, part: Number(part), command: Number(command) }
    },
  }
}
