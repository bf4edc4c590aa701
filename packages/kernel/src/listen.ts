import type { Server } from 'node:net'
import { isObject } from './is-object.ts'

export type StartErrorCode =
  | 'port_taken'
  | 'port_privileged'
  | 'address_unavailable'
  | 'listen_failed'
  | 'tls_unusable'

/** The server cannot start, and the message says what to do about it. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code: StartErrorCode

  constructor(code: StartErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** Listens, or says in words why not. @throws StartError */
export async function listenOn(server: Server, at: { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const fail = (error: unknown) => reject(startError(error, at))
  server.once('error', fail)
  server.listen({ host: at.host, port: at.port, exclusive: true }, resolve)
  await promise
  server.off('error', fail)
}

function startError(error: unknown, at: { host: string; port: number }): StartError {
  const code = isObject(error) ? error.code : undefined
  const { host, port } = at
  const choose = 'Choose another with --port or KYROS_SERVER_PORT.'
  if (code === 'EADDRINUSE') {
    return new StartError(
      'port_taken',
      `Port ${port} on ${host} is taken by another program. ${choose}`,
      error,
    )
  }
  if (code === 'EACCES') {
    return new StartError(
      'port_privileged',
      `You may not listen on port ${port}. ${choose} Above 1023 works.`,
      error,
    )
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const detail = `This machine has no address ${host}. Choose one with --host or KYROS_SERVER_HOST.`
    return new StartError('address_unavailable', detail, error)
  }
  return new StartError('listen_failed', `Cannot listen on ${host}:${port}: ${String(code ?? error)}.`, error)
}
