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

const maxTitleLength = 200

/** What a run without a title is called: lists of runs that are all named after their workflow tell nothing. */
export function titleOf(workflow: string, input: unknown): string {
  if (workflow !== 'code_analysis' || typeof input !== 'object' || input === null) return workflow
  if (!('repository' in input) || typeof input.repository !== 'string') return workflow
  const repository = withoutSecret(input.repository)
  return repository === '' ? workflow : `Analysis of ${repository}`.slice(0, maxTitleLength)
}

/** Titles are shown to everybody; an address may carry a password. */
function withoutSecret(repository: string): string {
  return repository.replace(/^(\w+:\/\/)[^/]*@/, '$1')
}
