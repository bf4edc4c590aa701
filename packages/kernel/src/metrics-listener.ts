import { createServer } from 'node:http'
import { listenOn, StartError } from './listen.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

const host = '127.0.0.1'

/** Serves /metrics on loopback without credentials. A taken port is a warning: nothing depends on it. */
export async function startMetricsListener(
  port: number,
  metrics: Metrics | undefined,
  log: Log,
): Promise<{ port: number; close(): void }> {
  if (port === 0 || !metrics) return { port: 0, close: () => undefined }
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, async (request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(await metrics.text())
  })
  try {
    await listenOn(server, { host, port })
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    log.warn(
      { port },
      `No metrics listener: port ${port} is taken. Set KYROS_METRICS_PORT to another, or to 0.`,
    )
    return { port: 0, close: () => undefined }
  }
  server.unref()
  return {
    port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
