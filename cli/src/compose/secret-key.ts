import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError } from '../command-line/command-error.ts'
import { writePrivateFile } from '../connect/private-file.ts'

const fileName = 'secret_key'
const minLength = 32
const keyBytes = 48
const makeOne = 'Make one with: node -e "console.log(crypto.randomBytes(48).toString(\'base64url\'))"'

/** Why this key will not do, or undefined. Only production insists. */
export function secretKeyFault(
  environment: string,
  key: string | undefined,
): { what: string; next: string } | undefined {
  if (environment !== 'production') return undefined
  if (key === undefined) return { what: 'Production needs a SECRET_KEY of its own.', next: makeOne }
  return key.length < minLength
    ? { what: `SECRET_KEY has ${key.length} characters; production needs ${minLength}.`, next: makeOne }
    : undefined
}

/** Whether a key given outside production is too short to be safe there. */
export function isShort(key: string): boolean {
  return key.length < minLength
}

/**
 * The key that signs tokens: the configured one, else the one kept in the data directory, made at the first start.
 * In memory nothing is kept, so each start has a key of its own.
 * @throws CommandError in production without a good key, or when the file cannot be read or written
 */
export function secretKeyOf(
  environment: string,
  configured: string | undefined,
  dataDir: string | undefined,
): string {
  const fault = secretKeyFault(environment, configured)
  if (fault !== undefined) throw new CommandError(fault.what, fault.next)
  if (configured !== undefined) return configured
  const made = randomBytes(keyBytes).toString('base64url')
  if (dataDir === undefined) return made
  const path = join(dataDir, fileName)
  const kept = readKey(path)
  if (kept !== undefined) return kept
  writePrivateFile(path, `${made}\n`)
  return made
}

function readKey(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim()
    // An empty file is what a full disk leaves behind; a new key then only ends sessions.
    return text === '' ? undefined : text
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new CommandError(`${path} cannot be read.`, 'Give it to the user that runs Kyros, with mode 600.')
  }
}
