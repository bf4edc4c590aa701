import { resolve } from 'node:path'
import { createClient } from '@kyros/client/client'
import type { CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { openConfig } from '../compose/open-config.ts'
import { findServer } from '../connect/connect.ts'
import { loginFile, readLogin, storeLogin } from '../connect/stored-login.ts'
import { askPassword } from './ask.ts'

const defaultEmail = 'admin@localhost'

/** `kyros login`: signs in and keeps the tokens in a file of this user, one entry for each server. */
export const login: CommandFunction = async (context) => {
  const { terminal } = context
  const { config } = openConfig(context)
  const { url } = findServer(config.client.url, resolve(context.directory, config.data_dir), context.callName)
  const file = loginFile(context.env)
  const client = createClient({ baseUrl: url })
  if (context.options.flag('forget')) {
    await signOut(url, file)
    if (context.wantsJson) terminal.json({ url, signed_in: false })
    else terminal.out(`Signed out of ${url}.`)
    return exitCode.done
  }
  const email = context.arguments[0] ?? config.auth.admin_email ?? defaultEmail
  const password = await askPassword(`Password of ${email} on ${url}: `)
  const tokens = await client.call('login', { body: { username: email, password } })
  storeLogin(file, url, { accessToken: tokens.access_token, refreshToken: tokens.refresh_token, email })
  if (context.wantsJson) terminal.json({ url, email, signed_in: true })
  else terminal.out(`Signed in to ${url} as ${email}. Kept in ${file}.`)
  return exitCode.done
}

/** The server is told first; when it cannot be reached, forgetting still works. */
async function signOut(url: string, file: string): Promise<void> {
  const stored = readLogin(file, url)
  if (stored !== undefined) {
    const headers = () => ({ authorization: `Bearer ${stored.accessToken}` })
    const client = createClient({ baseUrl: url, access: { headers }, maxTries: 1 })
    await client.call('logout', { body: { refresh_token: stored.refreshToken } }).catch(() => undefined)
  }
  storeLogin(file, url, undefined)
}
