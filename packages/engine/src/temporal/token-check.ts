import { timingSafeEqual } from 'node:crypto'
import { isRunEvent } from '@kyros/contract/event'
import { problem } from '@kyros/contract/problem'
import type { Store } from '@kyros/store/store'
import type { WaitpointKey, WaitpointRef } from '../embedded/waitpoint-tokens.ts'
import { childSecret, runSecret, signToken } from './run-secret.ts'

const form = /^([\w-]{8})\.([0-9a-f-]{36})\.(?:(\d{1,9})-)?(\d{1,9})\.[\w-]{24}$/
/** Children nest at most so deep. */
const maxAbove = 40

/** Which waitpoint a text in the form of a token names; whether it was made here is another question. */
export function refOfToken(token: string): (WaitpointRef & { keyId: string }) | undefined {
  const parts = form.exec(token)
  if (parts === null) return undefined
  const [, keyId = '', runId = '', part = '0', command = ''] = parts
  return { keyId, runId, part: Number(part), command: Number(command) }
}

/** @throws waitpoint_token_invalid */
export async function verifyToken(
  { store, keys }: { store: Store; keys: readonly WaitpointKey[] },
  token: string,
): Promise<WaitpointRef> {
  const ref = refOfToken(token)
  const key = keys.find(({ id }) => id === ref?.keyId)
  const secret = ref && key && (await secretOf(store, key, ref.runId))
  if (ref !== undefined && key !== undefined && secret !== undefined) {
    const expected = Buffer.from(signToken({ secret, keyId: key.id }, ref))
    const given = Buffer.from(token)
    if (expected.length === given.length && timingSafeEqual(expected, given)) return ref
  }
  throw problem('waitpoint_token_invalid', { detail: 'This token is of no waitpoint here.' })
}

/** That of a child is made of its parent's, because the cluster starts it and knows no key. */
async function secretOf(store: Store, key: WaitpointKey, runId: string): Promise<string | undefined> {
  const line: string[] = [runId]
  for (let above = 0; above < maxAbove; above++) {
    const [created] = await store.events.ofRun(line[0] ?? '', 0, 1)
    if (created === undefined || !isRunEvent(created) || created.type !== 'run.created') return undefined
    const { parent } = created.data
    if (parent === undefined) break
    line.unshift(parent.run_id)
  }
  const [root = '', ...below] = line
  return below.reduce((secret, child) => childSecret(secret, child), runSecret(key.key, root))
}
