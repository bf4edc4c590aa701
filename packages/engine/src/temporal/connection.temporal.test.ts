import { openStore } from '@kyros/store/open-store'
import { afterEach, expect, inject, test } from 'vitest'
import { newId, testClock } from '../embedded/embedded-rig.ts'
import { connectTemporal } from './connection.ts'
import type { TemporalTarget } from './connection-check.ts'
import { createPayloadCodec } from './payload-codec.ts'

const address = inject('testTemporalAddress')

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

function connect(target: Partial<TemporalTarget> = {}) {
  const made = connectTemporal(
    { address, namespace: 'default', ...target },
    { clock: testClock, log: () => {} },
  )
  closing.push(() => made.close())
  return made
}

test('a real cluster is healthy, with its version', async () => {
  expect(await connect().check()).toEqual({
    status: 'healthy',
    serverVersion: expect.stringMatching(/^1\.\d+/),
  })
})

test('a namespace that a real cluster does not have is missing, for checks and for calls', async () => {
  const temporal = connect({ namespace: 'nobody-made-it' })
  const missing = {
    code: 'temporal_namespace_missing',
    what: `Temporal at ${address} has no namespace nobody-made-it.`,
  }
  expect(await temporal.check()).toMatchObject(missing)
  const failed = await temporal.client.workflow
    .start('nothing', { workflowId: newId(), taskQueue: newId() })
    .catch((error: unknown) => temporal.problemOf(error))
  expect(failed).toMatchObject({ code: 'temporal_namespace_missing', status: 503 })
})

test('a real cluster without TLS is told from one that is down', async () => {
  expect(await connect({ tls: {} }).check()).toMatchObject({
    code: 'temporal_refused',
    what: expect.stringContaining('speaks without TLS'),
  })
})

test('a run that a real cluster does not know is not about the cluster', async () => {
  const temporal = connect()
  const error = await temporal.client.workflow
    .getHandle(newId())
    .describe()
    .catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(Error)
  expect(temporal.problemOf(error)).toBeUndefined()
})

test('what a real cluster keeps of a run is closed and small, and can be read with the key', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  closing.push(() => store.close())
  const key = new Uint8Array(32).fill(7)
  const codec = createPayloadCodec({ blobs: store.blobs, keys: [{ id: 'testtest', key }] })
  const { client } = connect({ dataConverter: { payloadCodecs: [codec] } })
  const args = [{ password: 'swordfish' }, 'x'.repeat(900_000)]
  const handle = await client.workflow.start('nothing', {
    ...{ workflowId: newId(), taskQueue: newId(), args, memo: { note: 'swordfish' } },
    staticSummary: 'swordfish',
  })
  try {
    const { events } = await handle.fetchHistory()
    const started = events?.[0]?.workflowExecutionStartedEventAttributes
    const payloads = [
      ...(started?.input?.payloads ?? []),
      ...Object.values(started?.memo?.fields ?? {}),
      ...[events?.[0]?.userMetadata?.summary].flatMap((summary) => summary ?? []),
    ]
    const kept = payloads.map(({ data }) => Buffer.from(data ?? []))
    expect(kept.map((bytes) => bytes.includes('swordfish'))).toEqual([false, false, false, false])
    expect(Math.max(...kept.map((bytes) => bytes.length))).toBeLessThan(300)
    const decoded = await codec.decode(payloads)
    expect(decoded.map(({ data }) => JSON.parse(Buffer.from(data ?? []).toString()))).toEqual([
      ...args,
      'swordfish',
      'swordfish',
    ])
    expect((await handle.describe()).memo).toEqual({ note: 'swordfish' })
  } finally {
    await handle.terminate()
  }
})
