import type { Json } from '@kyros/contract/json'
import { expect, test } from 'vitest'
import { hidePayloads, shownValue, showPayloads } from './executions-json.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const payload = (encoding: string, data: string): Json => ({
  metadata: { encoding: base64(encoding) },
  data: base64(data),
})
/** As a codec opens what it has encrypted. */
const open: Parameters<typeof showPayloads>[1] = async ({ metadata, data }) => {
  if (Buffer.from(metadata.encoding ?? []).toString() !== 'closed') return { metadata, data }
  return { metadata: { encoding: Buffer.from('json/plain') }, data: Uint8Array.from(data).reverse() }
}

test('payloads are shown as what they hold, wherever they stand, and become again what Temporal writes', async () => {
  const written = {
    eventId: '5',
    input: { payloads: [payload('closed', '"a"')] },
    upsertedMemo: { fields: { kyros: payload('json/plain', '{"kind":"held"}') } },
    other: [payload('binary/null', ''), payload('json/plain', 'no json')],
  }
  const shown = await showPayloads(written, open)
  expect(shown).toMatchObject({
    eventId: '5',
    input: { payloads: [{ kyros_json: 'a' }] },
    upsertedMemo: { fields: { kyros: { kyros_json: { kind: 'held' } } } },
    other: written.other,
  })
  expect(hidePayloads(shown)).toEqual({ ...written, input: { payloads: [payload('json/plain', '"a"')] } })
  expect(shownValue({ kyros_json: 1 })).toBe(1)
})
