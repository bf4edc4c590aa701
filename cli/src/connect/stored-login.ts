import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '@kyros/kernel/config/env-source'
import { readJsonFile, writePrivateFile } from './private-file.ts'

/** What `kyros login` remembers of one server. */
export type StoredLogin = { accessToken: string; refreshToken: string; email: string }

/** The file with the logins of this user, readable by nobody else. */
export function loginFile(env: Environment): string {
  const base = env.XDG_CONFIG_HOME || join(homedir(), '.config')
  return join(base, 'kyros', 'logins.json')
}

export function readLogin(file: string, url: string): StoredLogin | undefined {
  const entry = readJsonFile(file)?.[url]
  if (typeof entry !== 'object' || entry === null) return undefined
  const { accessToken, refreshToken, email } = Object.fromEntries(Object.entries(entry))
  const isWhole =
    typeof accessToken === 'string' && typeof refreshToken === 'string' && typeof email === 'string'
  return isWhole ? { accessToken, refreshToken, email } : undefined
}

/** Remembers a login, or forgets it when there is none. */
export function storeLogin(file: string, url: string, login: StoredLogin | undefined): void {
  const { [url]: _, ...others } = readJsonFile(file) ?? {}
  const logins = login === undefined ? others : { ...others, [url]: login }
  writePrivateFile(file, `${JSON.stringify(logins, null, 2)}\n`)
}
