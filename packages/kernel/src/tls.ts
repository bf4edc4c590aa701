import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { StartError } from './listen.ts'
import type { Log } from './log.ts'

/** Paths of PEM files: the chain, own certificate first, and its private key. */
export type TlsFiles = { readonly cert: string; readonly key: string }

export type TlsPair = { readonly cert: string; readonly key: string }

/** How often the files are looked at; a renewed certificate counts after this time and never needs a restart. */
const watchIntervalMs = 5_000

/** The pair that both files hold, checked to belong together. @throws StartError `tls_unusable`, in words */
export function readTls(files: TlsFiles): TlsPair {
  const pair = { cert: readPem(files.cert, 'server.tls.cert'), key: readPem(files.key, 'server.tls.key') }
  try {
    createSecureContext(pair)
  } catch (error) {
    throw unusable(whatIsWrong(files, pair), error)
  }
  return pair
}

/**
 * Calls `use` with the new pair whenever the files have changed; a pair that cannot be used is logged and the old one
 * stays. Gives what ends the watch.
 */
export function watchTls(
  files: TlsFiles,
  log: Log,
  use: (pair: TlsPair) => void,
  intervalMs = watchIntervalMs,
): () => void {
  const reload = () => {
    try {
      use(readTls(files))
      log.info({ cert: files.cert }, 'the certificate was read again')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.error({ reason }, 'the changed certificate cannot be used: the one before stays')
    }
  }
  const paths = [files.cert, files.key]
  for (const path of paths) watchFile(path, { interval: intervalMs, persistent: false }, reload)
  return () => {
    for (const path of paths) unwatchFile(path, reload)
  }
}

function readPem(path: string, setting: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const what = isMissing ? `There is no file ${path}.` : `${path} cannot be read.`
    throw unusable(`${what} Mend ${setting}, or give the file to the user that runs Kyros.`, error)
  }
}

function whatIsWrong(files: TlsFiles, pair: TlsPair): string {
  const certificate = attempt(() => new X509Certificate(pair.cert))
  if (certificate === undefined) {
    return `${files.cert} holds no certificate. Name a PEM file, its own certificate first, in server.tls.cert.`
  }
  const key = attempt(() => createPrivateKey(pair.key))
  if (key === undefined) {
    return `${files.key} holds no private key. Name a PEM file without a passphrase in server.tls.key.`
  }
  return `${files.key} is not the key of ${files.cert}. Name the two that belong together in server.tls.`
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

function unusable(message: string, cause: unknown): StartError {
  return new StartError('tls_unusable', message, cause)
}
