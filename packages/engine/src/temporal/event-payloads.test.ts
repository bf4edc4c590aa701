import type { NewRunEvent } from '@kyros/store/command'
import { withValues } from '@kyros/store/event-payloads'
import { openStore } from '@kyros/store/open-store'
import { fromStored } from '@kyros/store/stored-value'
import { expect, onTestFinished, test } from 'vitest'
import { notKept, storedPayloads } from './event-payloads.ts'

async function openBlobs() {
  const store = await openStore({ dataDir: ':memory:' })
  onTestFinished(() => store.close())
  return store.blobs
}

const large = 'x'.repeat(100_000)
const tooLarge = 'x'.repeat(1_100_000)

test('what is larger than the log keeps is a marker, and does not stop it', async () => {
  const event: NewRunEvent = { type: 'run.completed', timeMs: 1, data: { result: tooLarge } }
  const stored = await storedPayloads(event, await openBlobs())
  expect(stored.data).toEqual({ result: notKept })
})

test('what a part took over lies beside the log when it is large, and is read back', async () => {
  const blobs = await openBlobs()
  const carried = [
    { signal: 'small', payload: 1 },
    { signal: 'large', payload: large },
    { signal: 'too_large', payload: tooLarge },
  ]
  const data = { input: null, definition: 'd', version: '1.0.0', carried, loop: { state: large } }
  const stored = await storedPayloads({ type: 'run.continued', timeMs: 1, data }, blobs)
  expect(JSON.stringify(stored).length).toBeLessThan(1000)
  const whole = await withValues(stored, (value) => fromStored(value, blobs))
  const [small, big] = carried
  expect(whole.data).toEqual({ ...data, carried: [small, big, { signal: 'too_large', payload: notKept }] })
})
