import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { problems, problemType } from '@kyros/contract/problem'
import { listenOn } from '@kyros/kernel/listen'
import { silentLog } from '@kyros/kernel/log'
import { readTls, watchTls } from '@kyros/kernel/tls'
import type { CommandContext } from '../command-line/command-context.ts'
import { type ExitCode, exitCode } from '../command-line/exit-code.ts'
import type { Config } from '../config.ts'
import { openConfig } from './open-config.ts'
import { tlsFiles } from './tls-files.ts'

const connectTimeoutMs = 10_000
const closeTimeoutMs = 5_000
/** Headers that belong to one connection and are never passed on (RFC 9110 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Serves the console on a port of its own. The orchestrator serves the built files too, so everything is passed on
 * to it: one origin for the browser, whichever port it came in by.
 */
export async function serveConsole(context: CommandContext): Promise<ExitCode> {
  const { config, settings } = openConfig(context)
  const target = new URL(config.services.orchestrator.url)
  const isPortGiven = settings.some(
    (each) => each.setting.path === 'server.port' && each.origin.kind === 'flag',
  )
  const port = isPortGiven ? config.server.port : config.console.port
  const { host } = config.server
  const { server, scheme } = listener(config, (request, response) => passOn(target, request, response))
  await listenOn(server, { host, port })
  const address = server.address() as AddressInfo // it listens on TCP, so the address is no string
  const shownHost = host.includes(':') ? `[${host}]` : host
  context.terminal.out(`Kyros console is ready on ${scheme}://${shownHost}:${address.port}`)
  context.terminal.out(`  API calls go to ${target.origin}`)
  context.terminal.out(
    '  It tells browsers apart only if server.trusted_proxies there holds the address of this machine.',
  )
  await stopped()
  server.close()
  const timer = setTimeout(() => server.closeAllConnections(), closeTimeoutMs)
  server.closeIdleConnections()
  await new Promise((resolve) => server.once('close', resolve))
  clearTimeout(timer)
  return exitCode.done
}

function listener(
  { server: settings }: Config,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const files = tlsFiles(settings)
  if (files === undefined) return { server: createServer(answer), scheme: 'http' }
  const server = createTlsServer({ ...readTls(files), minVersion: 'TLSv1.2' }, answer)
  server.once(
    'close',
    watchTls(files, silentLog, (pair) => server.setSecureContext(pair)),
  )
  return { server, scheme: 'https' }
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve()).once('SIGINT', () => resolve())
  })
}

function passOn(target: URL, request: IncomingMessage, response: ServerResponse): void {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hopByHop.has(name)))
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest
  const forwarded = send(
    {
      host: target.hostname,
      port: target.port || (target.protocol === 'https:' ? 443 : 80),
      method: request.method,
      path: request.url,
      // The Host stays the browser's: the orchestrator compares it with Origin.
      headers: { ...headers, 'x-forwarded-for': forwardedFor(request) },
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      // An answer that breaks off must break off here too, or the browser waits for ever.
      pipeline(answer, response, (error) => {
        if (error) response.destroy()
      })
    },
  )
  forwarded.setTimeout(connectTimeoutMs, () => {
    // Only silence before the first byte counts: a stream may be quiet for long.
    if (!response.headersSent) forwarded.destroy(new Error('timeout'))
  })
  forwarded.on('error', () => refuse(target, response))
  response.on('close', () => forwarded.destroy())
  request.pipe(forwarded)
}

/** The browser's address comes last: what came before it is only what somebody said. */
function forwardedFor(request: IncomingMessage): string {
  const before = [request.headers['x-forwarded-for'] ?? []].flat()
  return [...before, request.socket.remoteAddress ?? ''].join(', ')
}

function refuse(target: URL, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, title } = problems.service_not_ready
  const detail = `The orchestrator does not answer at ${target.origin}. Start it, or mend services.orchestrator.url.`
  const body = { type: problemType('service_not_ready'), title, status, detail, code: 'service_not_ready' }
  response.writeHead(status, { 'content-type': 'application/problem+json', 'retry-after': '2' })
  response.end(JSON.stringify(body))
}
