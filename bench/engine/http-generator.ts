// Sends one request after the other on each of many connections and prints what came of it. It does as little as a client
// can, because it shares the machine with the server that is measured.
import { connect } from 'node:net'
import { percentile } from './closed-loop.ts'

export type GeneratorOptions = {
  url: string
  headers: readonly string[]
  body: string
  connections: number
  seconds: number
}

export type GeneratorReport = {
  perSecond: number
  p99Ms: number
  total: number
  refused: number
  answer: string
}

/** Length of the first whole response in `text`, 0 while it is not complete. Latin-1, so that it counts bytes. */
export function responseLength(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return 0
  const head = text.slice(0, headEnd).toLowerCase()
  const bodyStart = headEnd + 4
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1]
  if (length !== undefined) {
    const end = bodyStart + Number(length)
    return text.length >= end ? end : 0
  }
  if (!head.includes('\r\ntransfer-encoding: chunked')) return bodyStart
  const last = text.indexOf('\r\n0\r\n\r\n', bodyStart - 2)
  return last === -1 ? 0 : last + 7
}

/** @throws when a connection breaks */
export async function generate(options: GeneratorOptions): Promise<GeneratorReport> {
  const { hostname, port, pathname } = new URL(options.url)
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${hostname}:${port}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(options.body)}`,
    ...options.headers,
  ]
  const request = Buffer.from(`${head.join('\r\n')}\r\n\r\n${options.body}`)
  const latenciesMs: number[] = []
  let refused = 0
  let answer = ''
  const startMs = performance.now()
  const untilMs = startMs + options.seconds * 1000

  const converse = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      socket.setEncoding('latin1')
      let sentMs = 0
      let text = ''
      const send = () => {
        sentMs = performance.now()
        if (sentMs >= untilMs) socket.end(resolve)
        else socket.write(request)
      }
      socket.on('connect', send).on('error', reject)
      socket.on('data', (chunk: string) => {
        text += chunk
        const length = responseLength(text)
        if (length === 0) return
        if (text[9] !== '2') {
          refused++
          answer = text.slice(0, length)
        }
        latenciesMs.push(performance.now() - sentMs)
        text = text.slice(length)
        send()
      })
      socket.on('close', () => reject(new Error(`${options.url} closed a connection`)))
    })
  await Promise.all(Array.from({ length: options.connections }, converse))
  const total = latenciesMs.length
  const perSecond = (total * 1000) / (performance.now() - startMs)
  latenciesMs.sort((a, b) => a - b)
  return { perSecond, p99Ms: percentile(latenciesMs, 0.99), total, refused, answer }
}

const [options] = process.argv.slice(2)
if (import.meta.main && options !== undefined) {
  process.stdout.write(JSON.stringify(await generate(JSON.parse(options))))
}
