import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto'

/** A key of 32 bytes; its id goes with everything that it encrypts and gives nothing of it away. */
export type PayloadKey = { readonly id: string; readonly key: Uint8Array }

/** What a history holds cannot be read: by this Kyros, or by anyone. */
export class PayloadUnreadable extends Error {
  override readonly name = 'PayloadUnreadable'
}

const saltBytes = 16
const counterBytes = 4
const tagBytes = 16
const nonceBytes = 12
const maxCounter = 0xffff_ffff
/** Other processes' keys that are kept at hand: each is made again in some microseconds. */
const maxOpeners = 1_000

/**
 * AES-256-GCM: `salt | counter | ciphertext | tag`. Each process encrypts with a key of its own, made of the ring's
 * newest and a random salt, and counts its nonces: none ever repeats, however many payloads and processes there are. All
 * keys of the ring decrypt.
 */
export class PayloadCipher {
  readonly #ring: ReadonlyMap<string, PayloadKey>
  readonly #newest: PayloadKey
  readonly #openers = new Map<string, Buffer>()
  #salt: Buffer = Buffer.alloc(0)
  #key: Buffer = Buffer.alloc(0)
  #counter = maxCounter

  /** The first key encrypts. */
  constructor([newest, ...older]: readonly [PayloadKey, ...PayloadKey[]]) {
    this.#newest = newest
    this.#ring = new Map([...older, newest].map((one) => [one.id, one]))
  }

  get keyId(): string {
    return this.#newest.id
  }

  seal(plain: Uint8Array): Uint8Array {
    if (this.#counter === maxCounter) this.#renew()
    this.#counter += 1
    const head = Buffer.allocUnsafe(saltBytes + counterBytes)
    this.#salt.copy(head)
    head.writeUInt32BE(this.#counter, saltBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(head), { authTagLength: tagBytes })
    const body = cipher.update(plain)
    return Buffer.concat([head, body, cipher.final(), cipher.getAuthTag()])
  }

  /** @throws PayloadUnreadable when the key is not in the ring, or a byte was changed */
  open(keyId: string, sealed: Uint8Array): Buffer {
    const known = this.#ring.get(keyId)
    if (known === undefined) throw new PayloadUnreadable(missingKey(keyId, [...this.#ring.keys()]))
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
    const head = bytes.subarray(0, saltBytes + counterBytes)
    const body = bytes.subarray(head.length, -tagBytes)
    if (bytes.length < head.length + tagBytes) throw changed(keyId)
    try {
      const key = this.#openerOf(known, head.subarray(0, saltBytes))
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(head), { authTagLength: tagBytes })
      decipher.setAuthTag(bytes.subarray(-tagBytes))
      return Buffer.concat([decipher.update(body), decipher.final()])
    } catch (error) {
      throw changed(keyId, error)
    }
  }

  #renew(): void {
    this.#salt = randomBytes(saltBytes)
    this.#key = sealingKey(this.#newest, this.#salt)
    this.#counter = -1
  }

  #openerOf(one: PayloadKey, salt: Buffer): Buffer {
    const name = `${one.id} ${salt.toString('latin1')}`
    const known = this.#openers.get(name)
    if (known !== undefined) return known
    const made = sealingKey(one, salt)
    if (this.#openers.size >= maxOpeners) this.#openers.clear()
    this.#openers.set(name, made)
    return made
  }
}

/** The id that tells a key from others, made of the key. */
export function payloadKeyId(key: Uint8Array): string {
  return hash('sha256', key, 'base64url').slice(0, 8)
}

function sealingKey({ id, key }: PayloadKey, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, `kyros/temporal/payload/${id}`, 32))
}

function nonceOf(head: Buffer): Buffer {
  const nonce = Buffer.alloc(nonceBytes)
  head.copy(nonce, nonceBytes - counterBytes, saltBytes, saltBytes + counterBytes)
  return nonce
}

function missingKey(keyId: string, known: readonly string[]): string {
  const has = `this Kyros has ${known.join(', ')}`
  return `A payload is encrypted with the key ${keyId}, and ${has}. Add the SECRET_KEY of that time to PREVIOUS_SECRET_KEYS; every server and worker needs the same ones.`
}

function changed(keyId: string, cause?: unknown): PayloadUnreadable {
  return new PayloadUnreadable(
    `A payload that was encrypted with the key ${keyId} was changed after that, and is not read.`,
    { cause },
  )
}
