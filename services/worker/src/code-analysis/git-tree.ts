import { StepError } from '@kyros/workflows/step-error'
import type { ListedFile } from './code-source.ts'
import { shownPath } from './file-path.ts'
import { type GitObjects, maxPipelinedObjects } from './git-objects.ts'
import type { AnalysisLimits } from './limits.ts'
import type { SkippedTally } from './skipped.ts'

type TreeEntry = { readonly mode: string; readonly name: string; readonly hash: string }
type Folder = { readonly hash: string; readonly path: string; readonly depth: number }

const maxTreeBytes = 64_000_000
const maxPeels = 8
const maxKnownEntries = 20_000

/** Follows annotated tags to the commit they stand for. */
export async function commitOf(objects: GitObjects, hash: string): Promise<string> {
  let current = hash
  for (let step = 0; step < maxPeels; step++) {
    const info = await objects.info(current)
    if (info?.kind === 'commit') return current
    const content =
      info?.kind === 'tag' && info.bytes < maxTreeBytes ? await objects.content(current) : undefined
    const target = /^object ([0-9a-f]+)$/m.exec(content?.toString('latin1') ?? '')?.[1]
    if (target === undefined) break
    current = target
  }
  throw new StepError(
    'commit_missing',
    `${hash} is not a commit of this repository, or its objects are not there (a partial or damaged clone). Run "git fetch" in it, or name another branch.`,
    { retryable: false },
  )
}

/** The tree of a commit, or of the folder inside it. @throws path_missing */
export async function treeAt(
  objects: GitObjects,
  commit: string,
  folder: string,
): Promise<Folder | ListedFile> {
  const content = (await objects.content(commit))?.toString('latin1') ?? ''
  let current: Folder = { hash: /^tree ([0-9a-f]+)$/m.exec(content)?.[1] ?? '', path: '', depth: 0 }
  const segments = folder.split('/').filter((segment) => segment !== '' && segment !== '.')
  for (const [index, segment] of segments.entries()) {
    const name = Buffer.from(segment, 'utf8').toString('latin1')
    const entries = (await readTree(objects, current.hash)) ?? []
    const found = entries.find((entry) => entry.name === name)
    const path = current.path + name
    if (found !== undefined && isFile(found) && index === segments.length - 1) return listed(found, path)
    if (found === undefined || found.mode !== '40000') {
      throw new StepError(
        'path_missing',
        `The commit has no folder ${JSON.stringify(folder.slice(0, 200))}. Write it from the top of the repository, with forward slashes, as in "packages/engine".`,
        { retryable: false },
      )
    }
    current = { hash: found.hash, path: `${path}/`, depth: 0 }
  }
  return current
}

/**
 * Lists the files below a folder, level by level and without recursion, so that neither a deep nor a
 * self-repeating tree can exhaust anything: both end at a limit and are counted.
 */
export async function listTree(
  objects: GitObjects,
  top: Folder,
  limits: AnalysisLimits,
  skipped: SkippedTally,
  onProgress: (files: number) => void,
): Promise<ListedFile[]> {
  const files: ListedFile[] = []
  // The same folder often lies in many places.
  const known = new Map<string, TreeEntry[] | undefined>()
  let knownEntries = 0
  let level: Folder[] = [top]
  while (level.length > 0) {
    const next: Folder[] = []
    for (let at = 0; at < level.length; at += maxPipelinedObjects) {
      const batch = level.slice(at, at + maxPipelinedObjects)
      if (knownEntries > maxKnownEntries) {
        known.clear()
        knownEntries = 0
      }
      const missing = [...new Set(batch.map(({ hash }) => hash))].filter((hash) => !known.has(hash))
      const trees = await Promise.all(missing.map((hash) => readTree(objects, hash)))
      for (const [index, hash] of missing.entries()) {
        known.set(hash, trees[index])
        knownEntries += 1 + (trees[index]?.length ?? 0)
      }
      for (const folder of batch) {
        const entries = known.get(folder.hash) ?? (await readTree(objects, folder.hash))
        collect(folder, entries, files, next, limits, skipped)
      }
      onProgress(files.length)
      if (files.length + next.length > limits.maxListedFiles) {
        skipped.add('the rest of the repository', `it has more than ${limits.maxListedFiles} entries`)
        return files
      }
    }
    level = next
  }
  return files
}

function collect(
  folder: Folder,
  entries: TreeEntry[] | undefined,
  files: ListedFile[],
  folders: Folder[],
  limits: AnalysisLimits,
  skipped: SkippedTally,
): void {
  if (entries === undefined) {
    skipped.add('folders', 'the repository is damaged there', shownPath(folder.path))
    return
  }
  for (const entry of entries) {
    const path = folder.path + entry.name
    if (isFile(entry)) files.push(listed(entry, path))
    else if (entry.mode === '120000') skipped.add('symbolic links', 'links are not followed', shownPath(path))
    else if (entry.mode === '160000') skipped.add('submodules', 'submodules are not fetched', shownPath(path))
    else if (entry.mode !== '40000') skipped.add('entries', 'their kind is unknown', shownPath(path))
    else if (entry.name === 'node_modules') {
      skipped.add('folders', 'installed packages are not the code of this repository', shownPath(path))
    } else if (folder.depth >= limits.maxDepth) {
      skipped.add('folders', `they lie deeper than ${limits.maxDepth} levels`, shownPath(path))
    } else folders.push({ hash: entry.hash, path: `${path}/`, depth: folder.depth + 1 })
  }
}

async function readTree(objects: GitObjects, hash: string): Promise<TreeEntry[] | undefined> {
  const content = await objects.tree(hash)
  return content === undefined ? undefined : parseTree(content, hash.length / 2)
}

/** A tree object is a sequence of `<octal mode> <name>\0<hash bytes>`. */
function parseTree(content: Buffer, hashBytes: number): TreeEntry[] {
  const entries: TreeEntry[] = []
  let at = 0
  while (at < content.length) {
    const space = content.indexOf(32, at)
    const end = content.indexOf(0, space)
    if (space === -1 || end === -1) break
    entries.push({
      mode: content.toString('latin1', at, space),
      name: content.toString('latin1', space + 1, end),
      hash: content.toString('hex', end + 1, end + 1 + hashBytes),
    })
    at = end + 1 + hashBytes
  }
  return entries
}

function isFile(entry: TreeEntry): boolean {
  return entry.mode.startsWith('100')
}

function listed(entry: TreeEntry, path: string): ListedFile {
  return { path, mode: entry.mode === '100755' ? 'executable' : 'file', hash: entry.hash }
}
