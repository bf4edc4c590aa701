// cspell:ignore pkeyopt paramgen addext keyout
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { testClock } from '../embedded/embedded-rig.ts'
import type { MetricReading } from './cluster-metrics.ts'
import { connectTemporal, type TemporalConnection } from './connection.ts'
import type { TemporalTarget } from './connection-check.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const lines: string[] = []
const readings: MetricReading[] = []
function connect(target: Partial<TemporalTarget>): TemporalConnection {
  lines.length = 0
  readings.length = 0
  const made = connectTemporal(
    { address: '127.0.0.1:7', namespace: 'default', connectTimeoutMs: 2_000, ...target },
    {
      clock: testClock,
      log: (level, message) => lines.push(`${level} ${message}`),
      tell: (reading) => readings.push(reading),
    },
  )
  closing.push(() => made.close())
  return made
}

async function listen(server: Server | Http2Server | Http2SecureServer, port = 0): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()))
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  // Border cast: a server that listens on a port has such an address.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

type Answer = { status: number; body?: Buffer }

/** Speaks gRPC: each call gets what `answers` has for its name. */
function serving(answers: Readonly<Record<string, Answer>>) {
  return (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const { status, body = Buffer.alloc(0) } = answers[request.url.split('/').at(-1) ?? ''] ?? { status: 12 }
    response.setHeader('content-type', 'application/grpc')
    if (status !== 0) {
      response.setHeader('grpc-status', status)
      response.end()
      return
    }
    const head = Buffer.alloc(5)
    head.writeUInt32BE(body.length, 1)
    response.addTrailers({ 'grpc-status': '0' })
    response.end(Buffer.concat([head, body]))
  }
}

async function fakeCluster(answers: Readonly<Record<string, Answer>>): Promise<string> {
  return await listen(createServer(serving(answers)))
}

/** GetSystemInfoResponse with its field 1. */
const ofVersion = (version: string): Answer => ({
  status: 0,
  body: Buffer.concat([Buffer.of(0x0a, version.length), Buffer.from(version)]),
})

describe('a cluster that answers', () => {
  test('is healthy, with its version, and that is logged once', async () => {
    const address = await fakeCluster({
      GetSystemInfo: ofVersion('1.29.1'),
      DescribeNamespace: { status: 0 },
    })
    const temporal = connect({ address })
    expect(await temporal.check()).toEqual({ status: 'healthy', serverVersion: '1.29.1' })
    await temporal.check()
    expect(lines).toEqual([`info Temporal 1.29.1 at ${address} answers, namespace default.`])
    expect(() => temporal.demand()).not.toThrow()
  })

  test('is told of by each call: how it ended, and in what time', async () => {
    const address = await fakeCluster({
      GetSystemInfo: ofVersion('1.29.1'),
      DescribeNamespace: { status: 5 },
    })
    await connect({ address }).check()
    const of = (operation: string) =>
      readings
        .filter(({ labels }) => labels.operation === operation)
        .map(({ name, labels }) => [name, labels])
    const described = { side: 'client', operation: 'DescribeNamespace' }
    expect(of('DescribeNamespace').slice(0, 3)).toEqual([
      ['requests_total', described],
      ['request_failures_total', { ...described, status: 'NOT_FOUND' }],
      ['request_duration_seconds', described],
    ])
    expect(of('GetSystemInfo').map(([name]) => name)).not.toContain('request_failures_total')
    expect(readings.every(({ value }) => value > 0)).toBe(true)
  })

  test('is too old when its version does not pin runs to their code', async () => {
    const address = await fakeCluster({
      GetSystemInfo: ofVersion('1.27.4'),
      DescribeNamespace: { status: 0 },
    })
    expect(await connect({ address }).check()).toEqual({
      status: 'faulty',
      serverVersion: '1.27.4',
      code: 'temporal_refused',
      what: `Temporal at ${address} is of version 1.27.4.`,
      mend: 'Upgrade it to 1.28.0 or later: runs are pinned to their code by worker deployment versioning.',
    })
  })

  test.each([
    [undefined, 7, 'does not let Kyros use the namespace default.'],
    ['wrong', 16, 'does not take the API key for the namespace default'],
  ])('refuses the API key %s', async (apiKey, status, says) => {
    const address = await fakeCluster({ GetSystemInfo: { status } })
    const state = await connect({ address, tls: false, ...(apiKey && { apiKey }) }).check()
    expect(state).toMatchObject({ status: 'faulty', code: 'temporal_refused' })
    expect(state).toHaveProperty('what', expect.stringContaining(says))
  })

  test('has no such namespace', async () => {
    const address = await fakeCluster({
      GetSystemInfo: ofVersion('1.29.1'),
      DescribeNamespace: { status: 5 },
    })
    expect(await connect({ address, namespace: 'kyros' }).check()).toMatchObject({
      code: 'temporal_namespace_missing',
      what: `Temporal at ${address} has no namespace kyros.`,
      mend: 'Create it (temporal operator namespace create --namespace kyros), or mend temporal.namespace.',
    })
  })
})

describe('a cluster that is away', () => {
  test('is named with its address, starts are told to come back, and the log says it once', async () => {
    const temporal = connect({ address: '127.0.0.1:7' })
    const what = 'Temporal at 127.0.0.1:7 does not answer: nothing listens there (ECONNREFUSED).'
    const mend = 'Start the cluster, or mend temporal.host_port.'
    expect(await temporal.check()).toEqual({ status: 'faulty', code: 'temporal_unavailable', what, mend })
    await temporal.check()
    expect(lines).toEqual([`warn ${what} ${mend}`])
    expect(() => temporal.demand()).toThrow(
      expect.objectContaining({ code: 'temporal_unavailable', status: 503, retryAfterSeconds: 5 }),
    )
    const failed = await temporal.client.workflow
      .getHandle('a')
      .describe()
      .catch((error: unknown) => temporal.problemOf(error))
    expect(failed).toMatchObject({
      code: 'temporal_unavailable',
      message: `${what} ${mend}`,
      retryAfterSeconds: 5,
    })
  })

  test('does not keep a call waiting for longer than it may take', async () => {
    const silent = await listen(createTcpServer((socket) => socket.on('error', () => {}).resume()))
    const temporal = connect({ address: silent, connectTimeoutMs: 300, callTimeoutMs: 300 })
    const beganMs = performance.now()
    await expect(temporal.client.workflow.getHandle('a').describe()).rejects.toThrow()
    expect(performance.now() - beganMs).toBeLessThan(3_000)
    expect(await temporal.check()).toMatchObject({ code: 'temporal_unavailable' })
  })

  test('is found again when it comes back, without a new connection', async () => {
    const place = createTcpServer()
    const address = await listen(place)
    await new Promise((resolve) => place.close(resolve))
    const temporal = connect({ address })
    expect(await temporal.check()).toMatchObject({ status: 'faulty' })
    const server = createServer(
      serving({ GetSystemInfo: ofVersion('1.30.0'), DescribeNamespace: { status: 0 } }),
    )
    await new Promise<void>((resolve) => server.listen(Number(address.split(':')[1]), '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    await expect
      .poll(() => temporal.state(), { timeout: 10_000 })
      .toEqual({ status: 'healthy', serverVersion: '1.30.0' })
  })

  test('what is about a run is not about the cluster', async () => {
    const address = await fakeCluster({ DescribeWorkflowExecution: { status: 5 } })
    const temporal = connect({ address })
    const error = await temporal.client.workflow
      .getHandle('a')
      .describe()
      .catch((e: unknown) => e)
    expect(temporal.problemOf(error)).toBeUndefined()
    expect(temporal.problemOf(new Error('a bug'))).toBeUndefined()
  })
})

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

describe.skipIf(!hasOpenssl)('TLS', () => {
  let place = ''
  let pair = { cert: Buffer.alloc(0), key: Buffer.alloc(0) }
  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), 'kyros-temporal-tls-'))
    const [cert, key] = [join(place, 'a.crt'), join(place, 'a.key')]
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-x509', '-days', '2']
    const subject = ['-subj', '/CN=cluster', '-addext', 'subjectAltName=DNS:cluster.example']
    const files = ['-keyout', key, '-out', cert]
    execFileSync('openssl', ['req', ...kind, ...subject, ...files], { stdio: 'ignore' })
    pair = { cert: readFileSync(cert), key: readFileSync(key) }
  })
  afterAll(() => rmSync(place, { recursive: true }))

  async function secureCluster(options: { requestCert?: boolean } = {}): Promise<string> {
    const answers = { GetSystemInfo: ofVersion('1.29.1'), DescribeNamespace: { status: 0 } }
    const asks = { ...pair, ca: pair.cert, ...options, rejectUnauthorized: options.requestCert === true }
    return await listen(createSecureServer(asks, serving(answers)))
  }

  const detailAt = async (target: Partial<TemporalTarget>) => {
    const state = await connect(target).check()
    return state.status === 'faulty' ? `${state.code}: ${state.what} ${state.mend}` : state.status
  }

  test('with the signer and the name that are right the cluster is healthy', async () => {
    const address = await secureCluster()
    const tls = { ca: pair.cert, serverName: 'cluster.example' }
    expect(await detailAt({ address, tls })).toBe('healthy')
  })

  test('files that are no pair are refused before anything is sent', () => {
    const half = { cert: pair.cert, key: pair.key.subarray(0, 60) }
    expect(() => connect({ tls: half })).toThrow(
      expect.objectContaining({
        code: 'temporal_refused',
        message: expect.stringContaining('The files of temporal.tls'),
      }),
    )
  })

  test('a certificate of an unknown signer is refused', async () => {
    const address = await secureCluster()
    expect(await detailAt({ address, tls: {} })).toBe(
      `temporal_refused: The certificate of ${address} is not signed by anyone whom Kyros trusts (DEPTH_ZERO_SELF_SIGNED_CERT). Name the certificate of its signer in temporal.tls.ca.`,
    )
  })

  test('a certificate for another name is refused', async () => {
    const address = await secureCluster()
    expect(await detailAt({ address, tls: { ca: pair.cert } })).toMatch(
      /^temporal_refused: The certificate of .* is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    )
  })

  test('a cluster that expects TLS is told from one that is down', async () => {
    const address = await secureCluster()
    expect(await detailAt({ address })).toMatch(/^temporal_refused: Temporal at .* expects TLS\. Set/)
  })

  test('a cluster that speaks without TLS is told, too', async () => {
    const address = await fakeCluster({})
    expect(await detailAt({ address, tls: {} })).toMatch(/^temporal_refused: .* speaks without TLS\. Remove/)
    expect(await detailAt({ address, apiKey: 'a' })).toMatch(/^temporal_refused: .* speaks without TLS\./)
  })

  test('a cluster that asks for a client certificate takes the right one and says what is missing', async () => {
    const address = await secureCluster({ requestCert: true })
    const tls = { ca: pair.cert, serverName: 'cluster.example' }
    expect(await detailAt({ address, tls })).toMatch(
      /^temporal_refused: Temporal at .* asks for a client certificate \(ERR_SSL_.*\)\. Set/,
    )
    expect(await detailAt({ address, tls: { ...tls, ...pair } })).toBe('healthy')
  })
})
