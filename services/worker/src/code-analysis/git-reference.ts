import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { StepError } from '@kyros/workflows/step-error'
import { type GitLocation, readBounded } from './git-location.ts'

const hashPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const maxPackedReferenceBytes = 128_000_000
const maxSymbolicSteps = 5

export type ResolvedReference = { readonly hash: string; readonly branch: string | undefined }

/** What a branch or tag may be called: what Git allows, and nothing that could be read as an option. */
export function isReferenceName(name: string): boolean {
  const hasOddCharacter = [...name].some(
    (character) => character <= ' ' || '\u007f~^:?*[\\'.includes(character),
  )
  return (
    !hasOddCharacter && !name.startsWith('-') && !/(^|\/)\.|\.\.|\/\/|@\{|\/$|^\/|\.lock(\/|$)/.test(name)
  )
}

/**
 * Resolves HEAD or a named branch, tag or hash to an object, reading the reference files ourselves: Git would read the
 * repository's configuration for it.
 * @throws repository_empty, branch_missing
 */
export async function resolveReference(
  location: GitLocation,
  wanted: string | undefined,
): Promise<ResolvedReference> {
  const packed = await readPackedReferences(location)
  if (wanted !== undefined) return await resolveNamed(location, packed, wanted)
  let content = (await readBounded(join(location.gitDirectory, 'HEAD'), 4_096))?.trim() ?? ''
  let branch: string | undefined
  for (let step = 0; step < maxSymbolicSteps; step++) {
    if (hashPattern.test(content)) return { hash: content, branch }
    const target = /^ref: (refs\/.+)$/.exec(content)?.[1]
    if (target === undefined || !isReferenceName(target)) break
    branch = target.replace(/^refs\/heads\//, '')
    content = (await readReference(location, packed, target)) ?? ''
  }
  throw await nothingAtHead(location, packed, branch)
}

async function resolveNamed(
  location: GitLocation,
  packed: ReadonlyMap<string, string>,
  wanted: string,
): Promise<ResolvedReference> {
  if (hashPattern.test(wanted)) return { hash: wanted, branch: undefined }
  if (isReferenceName(wanted)) {
    for (const prefix of [
      'refs/heads/',
      'refs/tags/',
      'refs/remotes/origin/',
      'refs/remotes/',
      'refs/',
      '',
    ]) {
      if (prefix === '' && !wanted.startsWith('refs/')) continue
      const hash = await readReference(location, packed, prefix + wanted)
      if (hash !== undefined && hashPattern.test(hash)) return { hash, branch: wanted }
    }
  }
  throw await branchMissing(location, packed, `There is no branch or tag ${JSON.stringify(wanted)}.`)
}

async function readReference(
  location: GitLocation,
  packed: ReadonlyMap<string, string>,
  name: string,
): Promise<string | undefined> {
  for (const directory of [location.gitDirectory, location.commonDirectory]) {
    const text = (await readBounded(join(directory, name), 4_096))?.trim()
    if (text !== undefined && (hashPattern.test(text) || text.startsWith('ref: '))) return text
  }
  return packed.get(name)
}

async function readPackedReferences(location: GitLocation): Promise<Map<string, string>> {
  const text =
    (await readBounded(join(location.commonDirectory, 'packed-refs'), maxPackedReferenceBytes)) ?? ''
  const references = new Map<string, string>()
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    if (hashPattern.test(line.slice(0, space)))
      references.set(line.slice(space + 1).trim(), line.slice(0, space))
  }
  return references
}

async function nothingAtHead(
  location: GitLocation,
  packed: ReadonlyMap<string, string>,
  branch: string | undefined,
): Promise<StepError> {
  const branches = await someBranches(location, packed)
  if (branches.length === 0) {
    return new StepError(
      'repository_empty',
      'The repository has no commit yet. Commit something in it and run this again.',
      { retryable: false },
    )
  }
  const head =
    branch === undefined ? 'HEAD points to nothing' : `HEAD points to "${branch}", which has no commit`
  return await branchMissing(location, packed, `${head}.`)
}

async function branchMissing(
  location: GitLocation,
  packed: ReadonlyMap<string, string>,
  why: string,
): Promise<StepError> {
  const branches = await someBranches(location, packed)
  const advice =
    branches.length === 0 ? 'The repository has no branch yet.' : `Name another: ${branches.join(', ')}.`
  return new StepError('branch_missing', `${why} ${advice}`, { retryable: false })
}

/** A few branch names for an error message. */
async function someBranches(location: GitLocation, packed: ReadonlyMap<string, string>): Promise<string[]> {
  const loose = await readdir(join(location.commonDirectory, 'refs', 'heads'), { withFileTypes: true }).catch(
    () => [],
  )
  const names = [...packed.keys()]
    .filter((name) => name.startsWith('refs/heads/'))
    .map((name) => name.slice(11))
  const files = loose.filter((entry) => entry.isFile()).map((entry) => entry.name)
  return [...new Set([...files, ...names])].sort().slice(0, 10)
}
