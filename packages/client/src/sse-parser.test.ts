import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSseParser } from './sse-parser.ts'

const stream =
  ': hello\n\nid: 1\nevent: run.started\ndata: {"a":\ndata: 1}\n\nretry: 250\n\nid: 2\r\ndata: x\r\n\r\n'

test('blocks carry id, event and joined data; comments are dropped', () => {
  const blocks = createSseParser()(stream)
  expect(blocks).toEqual([
    { id: '1', event: 'run.started', data: '{"a":\n1}', retryMs: undefined },
    { id: undefined, event: 'message', data: '', retryMs: 250 },
    { id: '2', event: 'message', data: 'x', retryMs: undefined },
  ])
})

test('the blocks are the same wherever the stream is cut', () => {
  const whole = createSseParser()(stream)
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: stream.length })), (cuts) => {
      const parse = createSseParser()
      const edges = [0, ...cuts.sort((a, b) => a - b), stream.length]
      const blocks = edges.slice(1).flatMap((end, index) => parse(stream.slice(edges[index], end)))
      expect(blocks).toEqual(whole)
    }),
  )
})
