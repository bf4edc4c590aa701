import { expect, test } from 'vitest'
import { responseLength } from './http-generator.ts'

test('a response with a length is whole when its body is', () => {
  const head = 'HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\n'
  expect(responseLength(head.slice(0, -2))).toBe(0)
  expect(responseLength(`${head}{"a`)).toBe(0)
  expect(responseLength(`${head}{"a}HTTP/1.1`)).toBe(head.length + 4)
})

test('a response in chunks is whole with its last chunk', () => {
  const head = 'HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n'
  expect(responseLength(`${head}2\r\n{}\r\n`)).toBe(0)
  expect(responseLength(`${head}2\r\n{}\r\n0\r\n\r\n`)).toBe(head.length + 12)
  expect(responseLength(`${head}0\r\n\r\n`)).toBe(head.length + 5)
})
