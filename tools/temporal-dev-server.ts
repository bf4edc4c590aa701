// Starts the Temporal CLI's dev server and asks a server whether it serves, without a client library.
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { findFreePort } from './free-port.ts'
import { type GuardedChild, spawnGuarded } from './temporal-dev-guard.ts'

const startTimeoutMs = 60_000
const answerTimeoutMs = 5_000
const retryMs = 50
const maxLogBytes = 16 * 1024
const maxStarts = 3

/**
 * What server 1.29 does not do by default and the engine or its tests need. Worker deployments, updates and pinned runs
 * are on by default; priorities of tasks need the new matcher.
 */
const settings = [
  'matching.useNewMatcher=true',
  // Every test brings builds of its own, on one server that they share.
  'matching.maxDeployments=10000',
  'matching.maxVersionsInDeployment=10000',
  // New namespaces and search attributes are seen at once.
  'system.namespaceCacheRefreshInterval="500ms"',
  'system.forceSearchAttributesCacheRefreshOnRead=true',
  // The dev server has one shard, and a shard hands out tasks at most 20 times a second: 50 ms for each task of a run.
  'history.transferProcessorMaxPollRPS=1000',
  'history.timerProcessorMaxPollRPS=1000',
  // And timers fire up to a second late.
  'history.timerProcessorMaxTimeShift="5ms"',
  // A run that continues as new waits until its part is a second old.
  'history.workflowIdReuseMinimalInterval="1ms"',
]

export interface DevServerOptions {
  /** The Temporal CLI. */
  readonly path: string
  /** A free one when not given. */
  readonly port?: number | undefined
  /** A file to keep runs in; in memory when not given. */
  readonly dbPath?: string | undefined
  /** Serves Temporal's own console as well, on a free port. */
  readonly hasConsole?: boolean
  /** More dynamic configuration, each `key=value` with JSON as value. */
  readonly settings?: readonly string[]
  /** Each `name=type`, as `temporal.search_attributes` has them. */
  readonly searchAttributes?: readonly string[]
  /** Each `pragma=value`, of the database in `dbPath`. */
  readonly pragmas?: readonly string[]
}

export interface DevServer {
  /** `host:port` of the gRPC service, on loopback. */
  readonly address: string
  readonly consoleUrl?: string | undefined
  /** Temporal's version of the server: `1.29.1`. */
  readonly version: string
  /** Resolves when the server has ended, by itself or by `stop`. */
  readonly ended: Promise<number>
  stop(): Promise<void>
}

/** One unary gRPC call without a library; the answer's bytes. Rejects when nothing answers in time or it is no success. */
function callGrpc(address: string, method: string, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${address}`)
    const fail = (error: Error) => {
      session.destroy()
      reject(error)
    }
    session.setTimeout(answerTimeoutMs, () => fail(new Error(`${address} does not answer`)))
    session.on('error', fail)
    const request = session.request({
      ':method': 'POST',
      ':path': `/temporal.api.workflowservice.v1.WorkflowService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    const chunks: Buffer[] = []
    let status: unknown
    const readStatus = (headers: Record<string, unknown>) => {
      status = headers['grpc-status'] ?? status
    }
    request.on('error', fail)
    request.on('response', readStatus)
    request.on('trailers', readStatus)
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    // After an answer this changes nothing any more.
    request.on('close', () => fail(new Error(`${address} closed the connection`)))
    request.on('end', () => {
      session.close()
      // A frame is a byte of flags, four of length, and the message.
      if (status === '0') resolve(Buffer.concat(chunks).subarray(5))
      else reject(new Error(`${address} answers ${method} with gRPC status ${status}`))
    })
    const header = Buffer.alloc(5)
    header.writeUInt32BE(message.length, 1)
    request.end(Buffer.concat([header, message]))
  })
}

/** A protobuf message whose first field is this short text. */
const firstField = (text: string) => Buffer.from([0x0a, text.length, ...Buffer.from(text)])

/** The version of a server that serves the namespace `default` at `host:port`; rejects when it does not. */
export async function readServerVersion(address: string): Promise<string> {
  await callGrpc(address, 'DescribeNamespace', firstField('default'))
  const info = await callGrpc(address, 'GetSystemInfo', Buffer.alloc(0))
  // `server_version` is the first field; its length fits a byte.
  if (info[0] !== 0x0a || info[1] === undefined) return 'unknown'
  return info.subarray(2, 2 + info[1]).toString()
}

/**
 * Resolves with the server's version as soon as it serves; rejects when it ends first or takes too long. The CLI says when
 * the port is its own: before that, another server may be the one that answers there.
 */
async function waitUntilServing(server: GuardedChild, address: string, log: () => string): Promise<string> {
  let hasEnded = false
  void server.ended.then(() => {
    hasEnded = true
  })
  const deadline = Date.now() + startTimeoutMs
  while (Date.now() < deadline && !hasEnded) {
    const version = log().includes('Server:')
      ? await readServerVersion(address).catch(() => undefined)
      : undefined
    if (version) return version
    await new Promise((resolve) => setTimeout(resolve, retryMs))
  }
  throw new Error(hasEnded ? 'ended' : `did not serve in ${startTimeoutMs / 1000} s`)
}

async function startOnce(options: DevServerOptions): Promise<DevServer> {
  const port = options.port ?? (await findFreePort())
  const consolePort = options.hasConsole ? await findFreePort() : undefined
  const command = [options.path, 'server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)]
  command.push('--log-level', 'error', '--disable-config-file', '--disable-config-env')
  if (consolePort) command.push('--ui-port', String(consolePort))
  else command.push('--headless')
  if (options.dbPath) command.push('--db-filename', options.dbPath)
  for (const setting of [...settings, ...(options.settings ?? [])])
    command.push('--dynamic-config-value', setting)
  for (const attribute of options.searchAttributes ?? [])
    command.push(
      '--search-attribute',
      attribute.replace(/=./, (type) => type.toUpperCase()),
    )
  for (const pragma of options.pragmas ?? []) command.push('--sqlite-pragma', pragma)
  // Without a home the CLI reads no settings of its user and leaves no file there.
  const server = spawnGuarded(command, { cwd: tmpdir(), env: { PATH: process.env.PATH ?? '' } })
  let log = ''
  for (const stream of [server.child.stdout, server.child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      log = (log + chunk).slice(-maxLogBytes)
    })
  const address = `127.0.0.1:${port}`
  try {
    const version = await waitUntilServing(server, address, () => log)
    const consoleUrl = consolePort ? `http://127.0.0.1:${consolePort}` : undefined
    return { address, consoleUrl, version, ended: server.ended, stop: server.stop }
  } catch (error) {
    await server.stop()
    throw new Error(`The Temporal server ${error instanceof Error ? error.message : error}:\n${log}`)
  }
}

/**
 * Starts a dev server on loopback; resolves when it serves. Its ports for metrics and HTTP are free ones. It dies with
 * this process, whatever the signal. A free port that another process took first is tried anew with the next.
 */
export async function startTemporal(options: DevServerOptions): Promise<DevServer> {
  for (let start = 1; ; start++) {
    try {
      return await startOnce(options)
    } catch (error) {
      const isTaken = error instanceof Error && /address already in use|can't (set|use)/.test(error.message)
      if (!isTaken || options.port !== undefined || start === maxStarts) throw error
    }
  }
}
