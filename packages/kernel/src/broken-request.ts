import type { Duplex } from 'node:stream'
import { problem } from '@kyros/contract/problem'
import { isObject } from './is-object.ts'
import { problemBody, problemHeaders } from './problem-reply.ts'

/** Answers bytes that are no HTTP request, or one that is too large or too slow: 431, 408 or 400. */
export function answerBrokenRequest(error: Error, socket: Duplex): void {
  const code = isObject(error) ? error.code : undefined
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [status, detail] = reason(code)
  const cause = problem('request_malformed', { detail })
  const body = JSON.stringify({ ...problemBody(cause, ''), status })
  const headers = Object.entries(problemHeaders(cause)).map(([name, value]) => `${name}: ${value}\r\n`)
  const phrase =
    status === 431 ? 'Request Header Fields Too Large' : status === 408 ? 'Request Timeout' : 'Bad Request'
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\n${headers.join('')}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function reason(code: unknown): [number, string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, 'The headers are larger than 16 KiB together.']
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'The request did not arrive in time.']
  return [400, 'This is not a well-formed HTTP/1.1 request.']
}
