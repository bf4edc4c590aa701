import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { answerBrokenRequest } from './broken-request.ts'
import { listenOn } from './listen.ts'
import type { Log } from './log.ts'
import { startMetricsListener } from './metrics-listener.ts'
import type { Service } from './service.ts'
import { readTls, type TlsFiles, watchTls } from './tls.ts'

export type ServeOptions = {
  /** In level order: started in this order, drained in reverse. */
  services: readonly Service[]
  app: FastifyInstance
  host: string
  /** 0 picks a free one. */
  port: number
  log: Log
  /** How long requests in flight may take when the server stops. */
  graceMs?: number
  /** After this a stop is over, whatever still hangs. */
  maxStopMs?: number
  /** 0 or undefined: none. On loopback only. */
  metricsPort?: number
  /** Serves https with these files, which are read again when they change. */
  tls?: TlsFiles | undefined
}

export type Serving = {
  /** Where it listens, such as `http://127.0.0.1:8000`. */
  readonly url: string
  readonly port: number
  /**
   * Drains and stops: at most 10 s, whatever hangs. The second call cuts everything off at once.
   */
  stop(reason: string): Promise<void>
  /** Rejects when a service fails; resolves when the server has stopped. */
  readonly ended: Promise<void>
}

const defaultGraceMs = 5000
// Two seconds below the ten that a supervisor is promised, so that what follows still fits.
const defaultMaxStopMs = 8000

/**
 * Gives an app its listener and its services their life: routes, listen, run, ready.
 * @throws StartError when the port cannot be had, or the files of TLS cannot be used
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { services, app, log } = options
  const { life } = app.edge
  life.services = services
  for (const service of services)
    if (service.plugin) await app.register(async (scope) => service.plugin?.(scope))
  await app.ready()
  const server = createListener(app, services, options.tls)
  await listenOn(server, options)
  const metrics = await startMetricsListener(options.metricsPort ?? 0, app.edge.metrics, log)
  const abort = new AbortController()
  const runs = services.map(async (service) => service.run?.(abort.signal))
  const failed = Promise.withResolvers<never>()
  for (const [index, run] of runs.entries()) {
    run.catch((error: unknown) => {
      log.fatal({ err: error, service: services[index]?.name }, 'service failed')
      failed.reject(error)
    })
  }
  life.phase = 'ready'
  watchCertificate(server, options)
  const stopped = Promise.withResolvers<void>()
  const stop = createStop({ ...options, server, abort, runs, metrics, onStopped: stopped.resolve })
  const ended = Promise.race([stopped.promise, failed.promise])
  // Whoever does not look at it must not be killed by it.
  ended.catch(() => undefined)
  const { port } = server.address() as AddressInfo // it listens on TCP, so the address is no string
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return { url: `${options.tls ? 'https' : 'http'}://${host}:${port}`, port, stop, ended }
}

const listenerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5000,
  noDelay: true,
} as const
const handshakeTimeoutMs = 10_000

function openListener(tls: TlsFiles | undefined): Server | TlsServer {
  if (tls === undefined) return createServer(listenerOptions)
  return createTlsServer({
    ...listenerOptions,
    ...readTls(tls),
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeTimeoutMs,
  })
}

function watchCertificate(server: Server | TlsServer, { tls, log }: ServeOptions): void {
  if (tls === undefined || !('setSecureContext' in server)) return
  server.once(
    'close',
    watchTls(tls, log, (pair) => server.setSecureContext(pair)),
  )
}

function createListener(
  app: FastifyInstance,
  services: readonly Service[],
  tls: TlsFiles | undefined,
): Server | TlsServer {
  const server = openListener(tls)
  server.maxHeadersCount = 200
  // 100-continue is answered by Node unless a service wants to decide itself (the gateway asks its upstream).
  const onExpect = services.filter((service) => service.onExpect)
  const onRequest = services.filter((service) => service.onRequest)
  const lastResponses = new WeakMap<Duplex, ServerResponse>()
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    lastResponses.set(request.socket, response)
    if (!onRequest.some((service) => service.onRequest?.(request, response))) app.routing(request, response)
  }
  server.on('request', answer)
  server.on('checkContinue', (request, response) => {
    if (onExpect.some((service) => service.onExpect?.(request, response))) return
    response.writeContinue()
    answer(request, response)
  })
  server.on('upgrade', (request, socket, head) => {
    if (services.some((service) => service.onUpgrade?.(request, socket, head))) return
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  server.on('clientError', (error, socket) => {
    // Bytes in the middle of an answer would be taken for a part of it, or for the answer to another request.
    const last = lastResponses.get(socket)
    if (last?.headersSent && !(last.writableFinished && last.shouldKeepAlive)) socket.destroy()
    else answerBrokenRequest(error, socket)
  })
  return server
}

type StopInput = ServeOptions & {
  server: Server | TlsServer
  abort: AbortController
  runs: readonly Promise<void>[]
  metrics: { close(): void }
  onStopped: () => void
}

function createStop(input: StopInput): Serving['stop'] {
  let stopping: Promise<void> | undefined
  const hurry = Promise.withResolvers<void>()
  return (reason) => {
    if (stopping) hurry.resolve()
    stopping ??= stopOnce(input, reason, hurry.promise)
    return stopping
  }
}

async function stopOnce(input: StopInput, reason: string, hurry: Promise<void>): Promise<void> {
  const { server, app, abort, log, onStopped } = input
  app.edge.life.phase = 'draining'
  log.info({ reason }, 'draining')
  const limit = timer(input.maxStopMs ?? defaultMaxStopMs)
  const isDone = await Promise.race([
    drain(input).then(() => true),
    limit.then(() => false),
    hurry.then(() => false),
  ])
  limit.cancel()
  if (!isDone) log.warn({}, 'stopped before everything had drained')
  abort.abort()
  server.closeAllConnections()
  app.edge.life.phase = 'stopped'
  log.info({}, 'stopped')
  onStopped()
}

async function drain(input: StopInput): Promise<void> {
  const { server, app, services, abort, runs, metrics, log } = input
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Spread over a second, so that the clients do not all come back at once.
  for (const stream of app.edge.streams.open) stream.end(500 + Math.floor(Math.random() * 1000))
  server.closeIdleConnections()
  const grace = timer(input.graceMs ?? defaultGraceMs)
  await Promise.race([closed, grace])
  grace.cancel()
  for (const service of services.toReversed()) {
    await service.drain?.().catch((error: unknown) => {
      log.error({ err: error, service: service.name }, 'service did not drain')
    })
  }
  server.closeAllConnections()
  abort.abort()
  metrics.close()
  await Promise.allSettled([...runs, closed, app.close()])
}

function timer(ms: number): Promise<void> & { cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const handle = setTimeout(resolve, ms)
  return Object.assign(promise, { cancel: () => clearTimeout(handle) })
}
