import { constants } from 'node:fs'
import { lstat, open, opendir } from 'node:fs/promises'
import { StepError } from '@kyros/workflows/step-error'
import type { CodeSource, ListedFile } from './code-source.ts'
import { shownPath } from './file-path.ts'
import type { SourceContext } from './git-source.ts'
import { counted } from './quantity.ts'

const unreadFolders = new Set(['.git', '.hg', '.svn', 'node_modules', '__pycache__', '.venv', '.kyros'])

/**
 * A directory that is in no repository, read as it is. Links are not followed, pipes and devices not opened.
 * @throws path_missing
 */
export async function openDirectorySource(
  directory: string,
  folder: string,
  context: SourceContext,
): Promise<CodeSource> {
  const segments = folder.split('/').filter((segment) => segment !== '' && segment !== '.')
  const top = Buffer.from(segments.map((segment) => `${segment}/`).join(''), 'utf8').toString('latin1')
  let at = directory
  for (const segment of segments) {
    at = `${at}/${segment}`
    const found = await lstat(at).catch(() => undefined)
    if (segment === '..' || found === undefined || !found.isDirectory()) {
      throw new StepError(
        'path_missing',
        `There is no folder ${JSON.stringify(folder.slice(0, 200))} in ${directory}. Write it from there, with forward slashes.`,
        { retryable: false },
      )
    }
  }
  const absolute = (path: string) =>
    Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')])
  return {
    commit: undefined,
    branch: undefined,
    folder,
    list: () => walk(absolute, top, context),
    size: async (file) => (await lstat(absolute(file.path)).catch(() => undefined))?.size,
    read: (file, maxBytes) => readRegularFile(absolute(file.path), maxBytes),
    isDirty: async () => undefined,
    close: async () => undefined,
  }
}

async function walk(
  absolute: (path: string) => Buffer,
  top: string,
  context: SourceContext,
): Promise<ListedFile[]> {
  const { limits, skipped } = context
  const files: ListedFile[] = []
  let level: string[] = [top]
  for (let depth = 0; level.length > 0; depth++) {
    const next: string[] = []
    for (const path of level) {
      context.signal.throwIfAborted()
      await readFolder(absolute(path), path, depth, { files, next, context })
      context.onProgress({ says: `Listed ${counted(files.length, 'file')} so far`, done: files.length })
      if (files.length + next.length > limits.maxListedFiles) {
        skipped.add('the rest of the directory', `it has more than ${limits.maxListedFiles} entries`)
        return files
      }
    }
    level = next
  }
  return files
}

async function readFolder(
  absolutePath: Buffer,
  path: string,
  depth: number,
  into: { files: ListedFile[]; next: string[]; context: SourceContext },
): Promise<void> {
  const { limits, skipped } = into.context
  // `latin1` keeps every byte of a name.
  const folder = await opendir(absolutePath, { encoding: 'latin1' }).catch(() => undefined)
  if (folder === undefined) {
    skipped.add('folders', 'they cannot be opened', shownPath(path))
    return
  }
  for await (const entry of folder) {
    const entryPath = path + entry.name
    if (entry.isSymbolicLink()) skipped.add('symbolic links', 'links are not followed', shownPath(entryPath))
    else if (entry.isFile()) into.files.push({ path: entryPath, mode: 'file', hash: '' })
    else if (!entry.isDirectory())
      skipped.add('special files', 'pipes, sockets and devices are not opened', shownPath(entryPath))
    else if (unreadFolders.has(entry.name))
      skipped.add(
        'folders',
        'installed packages and metadata are not the code of this repository',
        shownPath(entryPath),
      )
    else if (depth >= limits.maxDepth)
      skipped.add('folders', `they lie deeper than ${limits.maxDepth} levels`, shownPath(entryPath))
    else into.next.push(`${entryPath}/`)
  }
}

async function readRegularFile(path: Buffer, maxBytes: number): Promise<Buffer | undefined> {
  // Non-blocking, because between listing and opening a file may have become a pipe.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const found = await file.stat()
    if (!found.isFile() || found.size > maxBytes) return undefined
    return await file.readFile()
  } catch {
    return undefined
  } finally {
    await file.close()
  }
}
