import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { TemporalTarget } from '@kyros/engine/temporal/connection-check'
import { readSearchKinds } from '@kyros/engine/temporal/search-kinds'
import { CommandError } from '../command-line/command-error.ts'
import type { Config } from '../config.ts'

/**
 * Where the cluster is and how it is spoken to; undefined when none is configured. Paths are from `directory`.
 * @throws CommandError when a certificate cannot be read, or a search attribute is none
 */
export function temporalTargetOf(
  { temporal }: Pick<Config, 'temporal'>,
  directory: string,
): TemporalTarget | undefined {
  const { host_port: address, namespace, api_key: apiKey, connect_timeout_ms: connectTimeoutMs } = temporal
  if (address === undefined) return undefined
  const tls = tlsOf(temporal.tls, directory)
  const searchAttributes = searchAttributesOf(temporal.search_attributes)
  return {
    ...{ address, namespace, connectTimeoutMs },
    ...(searchAttributes !== undefined && { searchAttributes }),
    ...(tls !== undefined && { tls }),
    ...(apiKey !== undefined && { apiKey }),
  }
}

function searchAttributesOf(settings: readonly string[]): TemporalTarget['searchAttributes'] {
  if (settings.length === 0) return undefined
  const { kinds, wrong } = readSearchKinds(settings)
  if (wrong === undefined) return kinds
  throw new CommandError(
    `temporal.search_attributes cannot have ${wrong}.`,
    'Name each once, as name=type with keyword, int, double, bool or datetime; of names that begin with Kyros there are KyrosJob, KyrosProject and KyrosPriority, each a keyword.',
  )
}

function tlsOf(configured: Config['temporal']['tls'], directory: string): TemporalTarget['tls'] {
  const { enabled, ca, cert, key, server_name: serverName } = configured
  if (enabled === false) return false
  if ((cert === undefined) !== (key === undefined)) {
    const [set, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    throw new CommandError(
      `temporal.tls.${set} is set, but temporal.tls.${missing} is not.`,
      `Set KYROS_TEMPORAL_TLS_${missing.toUpperCase()} too: a certificate is shown with its key.`,
    )
  }
  const isSet = [ca, cert, serverName].some((one) => one !== undefined)
  if (enabled !== true && !isSet) return undefined
  const read = (name: string, path: string | undefined) =>
    path === undefined ? {} : { [name]: readPem(name, resolve(directory, path)) }
  return {
    ...read('ca', ca),
    ...read('cert', cert),
    ...read('key', key),
    ...(serverName !== undefined && { serverName }),
  }
}

function readPem(name: string, path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? error.code : error
    throw new CommandError(
      `temporal.tls.${name} cannot be read: ${path} (${why}).`,
      'Mend the path, or let the user that runs Kyros read the file.',
    )
  }
}
