import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import { type ProblemError, problem } from '@kyros/contract/problem'
import type { TemporalFault } from './temporal-problem.ts'

/** What TLS with the cluster takes; the contents of PEM files, not their paths. */
export type TemporalTls = {
  /** Who may have signed the cluster's certificate; else those that Node trusts. */
  ca?: Uint8Array
  cert?: Uint8Array
  key?: Uint8Array
  /** The name that the cluster's certificate must have, when it is not the host's. */
  serverName?: string
}

export type Endpoint = { host: string; port: number; tls: TemporalTls | undefined }

export type Patience = { timeoutMs: number; signal: AbortSignal }

const defaultPort = 7233

/** `host:port`, `host` or `[ipv6]:port`. */
export function endpointOf(address: string, tls: TemporalTls | undefined): Endpoint {
  const url = URL.parse(`http://${address}`)
  const port = /:(\d+)$/.exec(address)?.[1]
  return { host: url?.hostname || address, port: Number(port ?? defaultPort), tls }
}

/**
 * Why a cluster that gives no answer gives none. gRPC only says "unavailable", with a text of OpenSSL or of the system;
 * so the address is spoken to without it, as configured and then the other way. Takes at most twice `timeoutMs`, and ends with `signal`.
 */
export async function connectionFault(endpoint: Endpoint, patience: Patience): Promise<TemporalFault> {
  const at = `${endpoint.host}:${endpoint.port}`
  const code = await talk(endpoint, patience)
  if (code === undefined) return unanswered(at)
  const plain = unreachable[code]
  if (plain !== undefined) {
    const what = `Temporal at ${at} does not answer: ${plain} (${code}).`
    return { code: 'temporal_unavailable', what, mend: 'Start the cluster, or mend temporal.host_port.' }
  }
  const certificate = certificateFault(at, code)
  if (certificate !== undefined) return certificate
  const otherWay = { ...endpoint, tls: endpoint.tls === undefined ? {} : undefined }
  if (speaks(await talk(otherWay, patience, false))) return wrongWay(at, endpoint.tls)
  if (isAlert(code)) return clientRefused(at, code, endpoint.tls)
  const what = `Something at ${at} takes connections, but it is not Temporal (${code}).`
  return { code: 'temporal_unavailable', what, mend: 'Mend temporal.host_port.' }
}

function unanswered(at: string): TemporalFault {
  return {
    code: 'temporal_unavailable',
    what: `${at} answers, but not in time or not as Temporal does.`,
    mend: "Look at the cluster's own log, or mend temporal.host_port.",
  }
}

function wrongWay(at: string, tls: TemporalTls | undefined): TemporalFault {
  return tls === undefined
    ? {
        code: 'temporal_refused',
        what: `Temporal at ${at} expects TLS.`,
        mend: 'Set temporal.tls.enabled: true, and temporal.tls.ca if its certificate is your own.',
      }
    : {
        code: 'temporal_refused',
        what: `Temporal at ${at} speaks without TLS.`,
        mend: 'Remove temporal.tls and temporal.api_key, or set temporal.tls.enabled: false.',
      }
}

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host cannot be resolved now',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'the connection is not made in time',
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
])

function certificateFault(at: string, code: string): TemporalFault | undefined {
  const refused = (what: string, mend: string): TemporalFault => ({
    code: 'temporal_refused',
    what: `The certificate of ${at} ${what} (${code}).`,
    mend,
  })
  if (untrusted.has(code)) {
    const mend = 'Name the certificate of its signer in temporal.tls.ca.'
    return refused('is not signed by anyone whom Kyros trusts', mend)
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const mend = 'Use the name it is for in temporal.host_port, or set temporal.tls.server_name.'
    return refused('is for another name', mend)
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return refused('is out of its time', 'Renew it, or set the clock of this machine.')
  return undefined
}

function clientRefused(at: string, code: string, tls: TemporalTls | undefined): TemporalFault {
  const files = 'temporal.tls.cert and temporal.tls.key.'
  return tls?.cert === undefined
    ? {
        code: 'temporal_refused',
        what: `Temporal at ${at} asks for a client certificate (${code}).`,
        mend: `Set ${files}`,
      }
    : {
        code: 'temporal_refused',
        what: `Temporal at ${at} does not take the certificate of Kyros (${code}).`,
        mend: `Mend ${files}`,
      }
}

/** An alert is what the other side says in TLS itself. */
const isAlert = (code: string) => code.startsWith('ERR_SSL_') && code.includes('_ALERT_')

const speaks = (code: string | undefined) => code === undefined || isAlert(code)

/** The problem of certificates that OpenSSL does not take; the SDK would throw what OpenSSL says. */
export function tlsProblem(tls: TemporalTls): ProblemError | undefined {
  try {
    createSecureContext(materialOf(tls))
    return undefined
  } catch (cause) {
    const detail =
      'The files of temporal.tls cannot be used. Each must be PEM, the key without a passphrase and that of the certificate.'
    return problem('temporal_refused', { detail, cause })
  }
}

function materialOf({ ca, cert, key }: TemporalTls) {
  return {
    ...(ca && { ca: Buffer.from(ca) }),
    ...(cert && { cert: Buffer.from(cert) }),
    ...(key && { key: Buffer.from(key) }),
  }
}

/** Undefined once the other side has greeted in HTTP/2, else the code of what was in the way. */
function talk(
  endpoint: Endpoint,
  { timeoutMs, signal }: Patience,
  isChecked = true,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  // A session says nothing of what its socket reports once it is made, such as a refused certificate.
  const socket = open(endpoint, isChecked)
  const session = connectHttp2(`http://${endpoint.host}`, { createConnection: () => socket })
  const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name)
  const timer = setTimeout(() => resolve('ETIMEDOUT'), timeoutMs)
  const end = () => resolve('ABORT_ERR')
  signal.addEventListener('abort', end, { once: true })
  session.once('remoteSettings', () => resolve(undefined))
  session.on('error', failed)
  socket.on('error', failed).once('close', () => resolve('ECONNRESET'))
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    session.destroy()
    socket.destroy()
  })
}

function open({ host, port, tls }: Endpoint, isChecked: boolean): Socket {
  const bare = host.replace(/^\[|\]$/g, '')
  if (tls === undefined) return connectTcp({ host: bare, port })
  const { serverName = isIP(bare) === 0 ? bare : undefined } = tls
  return connectTls({
    ...{ host: bare, port, rejectUnauthorized: isChecked, ALPNProtocols: ['h2'] },
    ...materialOf(tls),
    ...(serverName !== undefined && { servername: serverName }),
  })
}
