import { expect, test } from 'vitest'
import { HistoryReader, notJson } from './read-history.ts'

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
