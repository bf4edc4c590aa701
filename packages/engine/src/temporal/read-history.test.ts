import { ApplicationFailure, defaultPayloadConverter, type PayloadCodec } from '@temporalio/common'
import { encodeErrorToFailure } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { expect, test } from 'vitest'
import { failureConverter } from './failure-converter.ts'
import { HistoryReader, notJson, type TemporalHistoryEvent } from './read-history.ts'

test('a signal that is not JSON is read as one that says so', async () => {
  const payload = (encoding: string, data: string) => ({
    metadata: { encoding: Buffer.from(encoding) },
    data: Buffer.from(data),
  })
  const read = async (encoding: string, data: string) => {
    const input = { payloads: [payload(encoding, data)] }
    return new HistoryReader().read({
      workflowExecutionSignaledEventAttributes: { signalName: 'hello', input },
    })
  }
  expect((await read('binary/plain', '\u0001{')).fact).toMatchObject({ kind: 'signaled', payload: notJson })
  expect((await read('json/plain', '{"a":1}')).fact).toMatchObject({ kind: 'signaled', payload: { a: 1 } })
})

/** Cheap to look through, but not by accident. */
const backwards: PayloadCodec['encode'] = async (payloads) =>
  payloads.map((payload) => ({ ...payload, data: Uint8Array.from(payload.data ?? []).reverse() }))
const codec: PayloadCodec = { encode: backwards, decode: backwards }

test('what an encrypted error says is read, and nobody else finds it', async () => {
  const converter = { payloadConverter: defaultPayloadConverter, failureConverter, payloadCodecs: [codec] }
  const error = ApplicationFailure.create({
    ...{ message: 'the swordfish is gone', type: 'fish_gone', nonRetryable: true },
    details: [{ retryable: false, cause: 'a swordfish' }],
  })
  const failure = await encodeErrorToFailure(converter, error)
  expect(
    JSON.stringify(failure, (_, value) => (value instanceof Uint8Array ? String(value) : value)),
  ).not.toMatch(/swordfish/)
  const read = async (event: TemporalHistoryEvent) => (await new HistoryReader([codec]).read(event)).fact
  expect(await read({ activityTaskFailedEventAttributes: { failure } })).toMatchObject({
    ending: {
      error: { code: 'fish_gone', message: 'the swordfish is gone', retryable: false, cause: 'a swordfish' },
    },
  })
  const unhandled = 14
  expect(await read({ workflowTaskFailedEventAttributes: { failure, cause: unhandled } })).toEqual({
    kind: 'task_failed',
    message: 'the swordfish is gone',
  })
})

test('a termination gives its reason among its details, one by another tool in the clear', async () => {
  const read = async (event: TemporalHistoryEvent) => (await new HistoryReader([codec]).read(event)).fact
  const details = { payloads: await codec.encode([defaultPayloadConverter.toPayload('mine') ?? {}]) }
  expect(
    await read({ workflowExecutionTerminatedEventAttributes: { reason: 'Asked for in Kyros.', details } }),
  ).toEqual({ kind: 'terminated', reason: 'mine' })
  expect(await read({ workflowExecutionTerminatedEventAttributes: { reason: 'theirs' } })).toEqual({
    kind: 'terminated',
    reason: 'theirs',
  })
})
