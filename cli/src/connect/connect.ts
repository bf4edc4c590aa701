import { resolve } from 'node:path'
import { type Client, createClient } from '@kyros/client/client'
import type { CommandContext } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { openConfig } from '../compose/open-config.ts'
import { runningServer } from './server-file.ts'
import { loginFile, readLogin, type StoredLogin, storeLogin } from './stored-login.ts'
import { trustCertificate } from './trust-certificate.ts'

export type Connection = { client: Client; url: string; headers: () => Promise<Record<string, string>> }

type Found = { url: string; dataDir: string | undefined; certificate?: string | undefined }

/**
 * Finds the server and says who is calling: `--url` or KYROS_URL, else the server on the data directory; KYROS_TOKEN,
 * else what `kyros login` kept, else the local credential.
 * @throws CommandError when there is no server to talk to
 */
export async function connect(context: CommandContext): Promise<Connection> {
  const { config } = openConfig(context)
  const found = findServer(config.client.url, resolve(context.directory, config.data_dir), context.callName)
  if (found.certificate !== undefined) trustCertificate(found.certificate)
  const access = accessTo(found, config.client.token, loginFile(context.env))
  return { client: createClient({ baseUrl: found.url, access }), url: found.url, headers: access.headers }
}

export function findServer(named: string | undefined, dataDir: string, callName: string): Found {
  const local = runningServer(dataDir)
  if (named !== undefined) {
    const url = named.replace(/\/+$/, '')
    return { url, dataDir: local?.url === url ? dataDir : undefined }
  }
  if (local !== undefined) return { url: local.url, dataDir, certificate: local.certificate }
  throw new CommandError(
    `No Kyros server runs on ${dataDir}.`,
    `Start one with \`${callName} up\`, or name one with --url or KYROS_URL.`,
    exitCode.unreachable,
  )
}

function accessTo(found: Found, token: string | undefined, file: string) {
  if (token !== undefined) return { headers: async () => bearer(token) }
  let login = readLogin(file, found.url)
  if (login === undefined) return { headers: () => localHeaders(found.dataDir) }
  return {
    headers: async () => (login === undefined ? {} : bearer(login.accessToken)),
    refresh: async () => {
      login = login && (await refreshLogin(found.url, login))
      // A session that has ended is forgotten; the next call says to sign in.
      storeLogin(file, found.url, login)
      return login !== undefined
    },
  }
}

async function refreshLogin(url: string, login: StoredLogin): Promise<StoredLogin | undefined> {
  const anonymous = createClient({ baseUrl: url })
  try {
    const tokens = await anonymous.call('refresh', { body: { refresh_token: login.refreshToken } })
    return { ...login, accessToken: tokens.access_token, refreshToken: tokens.refresh_token }
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 401) return undefined
    throw error
  }
}

/** The access of this machine's own command line, for a server that runs in this process. */
export function localAccess(dataDir: string) {
  return { headers: () => localHeaders(dataDir) }
}

async function localHeaders(dataDir: string | undefined): Promise<Record<string, string>> {
  if (dataDir === undefined) return {}
  const { readLocalCredential } = await import('@kyros/orchestrator/auth/local-credential')
  const credential = await readLocalCredential(dataDir)
  return credential === undefined ? {} : bearer(credential)
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}
