import { open, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { StepError } from '@kyros/workflows/step-error'
import type { LocalAccess } from './repository-address.ts'

/** Where the parts of a local repository lie. None of its configuration is read by Git. */
export type GitLocation = {
  /** Holds HEAD; of a linked worktree its own. */
  readonly gitDirectory: string
  /** Holds refs and objects. */
  readonly commonDirectory: string
  /** The working tree; undefined for a bare repository. */
  readonly workTree: string | undefined
  /** The asked directory inside the working tree, with forward slashes; '' for its top. */
  readonly folder: string
  readonly objectFormat: 'sha1' | 'sha256'
}

const maxParents = 64
const maxConfigBytes = 1_000_000

/**
 * Finds the repository a directory belongs to, as Git would, but by looking at files only.
 * @returns undefined when the directory is in no repository
 * @throws repository_not_allowed, repository_unsupported
 */
export async function locateRepository(
  directory: string,
  access: LocalAccess,
): Promise<GitLocation | undefined> {
  let current = directory
  for (let step = 0; step < maxParents && access.allows(current); step++) {
    const dotGit = join(current, '.git')
    const gitDirectory = (await isGitDirectory(dotGit)) ? dotGit : await linkedGitDirectory(dotGit)
    if (gitDirectory !== undefined) {
      const folder = relative(current, directory).split('\\').join('/')
      return await describe(gitDirectory, current, folder, access)
    }
    if (step === 0 && (await isGitDirectory(current))) return await describe(current, undefined, '', access)
    if (dirname(current) === current) return undefined
    current = dirname(current)
  }
  return undefined
}

async function isGitDirectory(path: string): Promise<boolean> {
  const [head, common, objects] = await Promise.all(
    ['HEAD', 'commondir', 'objects'].map((name) => stat(join(path, name)).catch(() => undefined)),
  )
  return head?.isFile() === true && (objects?.isDirectory() === true || common?.isFile() === true)
}

/** A `.git` file, as linked worktrees and submodules have it: `gitdir: <path>`. */
async function linkedGitDirectory(dotGit: string): Promise<string | undefined> {
  const text = await readBounded(dotGit, 4_096)
  const target = text === undefined ? undefined : /^gitdir: (.+)$/m.exec(text)?.[1]?.trim()
  if (target === undefined) return undefined
  const path = resolve(dirname(dotGit), target)
  return (await isGitDirectory(path)) ? path : undefined
}

async function describe(
  gitDirectory: string,
  workTree: string | undefined,
  folder: string,
  access: LocalAccess,
): Promise<GitLocation> {
  const common = (await readBounded(join(gitDirectory, 'commondir'), 4_096))?.trim()
  const commonDirectory = common ? resolve(gitDirectory, common) : gitDirectory
  for (const path of [gitDirectory, commonDirectory, join(commonDirectory, 'objects')]) {
    const real = await realpath(path).catch(() => path)
    if (!access.allows(real)) throw leadsOut(real)
  }
  if (access.isRestricted) await checkObjectsStayInside(join(commonDirectory, 'objects'), access, 0)
  const config = (await readBounded(join(commonDirectory, 'config'), maxConfigBytes)) ?? ''
  if (/^\s*refstorage\s*=\s*"?reftable/im.test(config)) {
    throw new StepError(
      'repository_unsupported',
      'The repository keeps its references as "reftable". Run "git refs migrate --ref-format=files" in it, or analyse a clone.',
      { retryable: false },
    )
  }
  const objectFormat = /^\s*objectformat\s*=\s*"?sha256/im.test(config) ? 'sha256' : 'sha1'
  return { gitDirectory, commonDirectory, workTree, folder, objectFormat }
}

/** Objects can be borrowed from elsewhere by a file of paths or by links; a restricted user must not reach out so. */
async function checkObjectsStayInside(objects: string, access: LocalAccess, depth: number): Promise<void> {
  const folders = await readdir(objects, { withFileTypes: true }).catch(() => [])
  for (const folder of folders) {
    if (folder.isSymbolicLink()) throw leadsOut(join(objects, folder.name))
    if (!folder.isDirectory()) continue
    const entries = await readdir(join(objects, folder.name), { withFileTypes: true }).catch(() => [])
    const link = entries.find((entry) => entry.isSymbolicLink())
    if (link !== undefined) throw leadsOut(join(objects, folder.name, link.name))
  }
  const alternates = (await readBounded(join(objects, 'info', 'alternates'), maxConfigBytes)) ?? ''
  for (const line of alternates.split('\n').filter((entry) => entry !== '' && !entry.startsWith('#'))) {
    const target = resolve(objects, line)
    const real = await realpath(target).catch(() => target)
    // Git itself follows five of these and no more.
    if (!access.allows(real) || depth >= 5) throw leadsOut(real)
    await checkObjectsStayInside(real, access, depth + 1)
  }
}

function leadsOut(path: string): StepError {
  return new StepError(
    'repository_not_allowed',
    `The repository takes objects from ${path}, which is outside the folders you may analyse. Analyse a full clone, or ask an administrator.`,
    { retryable: false },
  )
}

/** The text of a small regular file; undefined when it is missing, a pipe, or larger. */
export async function readBounded(path: string, maxBytes: number): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || !found.isFile() || found.size > maxBytes) return undefined
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return undefined
  try {
    return await readFile(file, 'utf8')
  } finally {
    await file.close()
  }
}
