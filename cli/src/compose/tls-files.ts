import { resolve } from 'node:path'
import type { TlsFiles } from '@kyros/kernel/tls'
import { CommandError } from '../command-line/command-error.ts'
import type { Config } from '../config.ts'

/** The files to serve https with; undefined when none are set. @throws CommandError when only one of the two is */
export function tlsFiles({ tls }: Config['server']): TlsFiles | undefined {
  const { cert, key } = tls
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) {
    const [set, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    throw new CommandError(
      `server.tls.${set} is set, but server.tls.${missing} is not: https needs both.`,
      `Set KYROS_SERVER_TLS_${missing.toUpperCase()} too, or remove the other and put a proxy with TLS in front.`,
    )
  }
  return { cert: resolve(cert), key: resolve(key) }
}

/** Whether browsers come by https, to this server itself or to a proxy in front of it. */
export function isSecure(server: Config['server']): boolean {
  return server.tls.cert !== undefined || server.public_url?.startsWith('https://') === true
}
