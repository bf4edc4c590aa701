import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'

/**
 * A repository given as a relative path means one beside the caller, who may stand elsewhere than the server.
 * Addresses, and whatever is no directory here, stay as they are: the server says what is wrong with them.
 */
export function withAbsoluteRepository(
  workflow: string | undefined,
  input: unknown,
  directory: string,
): unknown {
  if (workflow !== 'code_analysis' || typeof input !== 'object' || input === null) return input
  if (!('repository' in input) || typeof input.repository !== 'string') return input
  const path = resolve(directory, input.repository)
  const isRelative = !isAbsolute(input.repository) && !input.repository.includes('://')
  return isRelative && existsSync(path) ? { ...input, repository: path } : input
}
