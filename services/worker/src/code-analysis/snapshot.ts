import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { CodeSource, ListedFile } from './code-source.ts'
import { compareText, shownPath } from './file-path.ts'
import { roleOf } from './file-role.ts'
import { isSourceName, languageOf } from './languages.ts'
import type { AnalysisLimits } from './limits.ts'
import { type Manifest, manifestName, type SnapshotFile } from './manifest.ts'
import type { Progress } from './progress-report.ts'
import { counted } from './quantity.ts'
import type { SkippedTally } from './skipped.ts'

export type SnapshotContext = {
  readonly limits: AnalysisLimits
  readonly signal: AbortSignal
  readonly skipped: SkippedTally
  readonly onProgress: (progress: Progress) => void
}

const batchFiles = 64
const filesPerFolder = 1_000
const binaryName =
  /\.(png|jpe?g|gif|webp|avif|ico|bmp|tiff?|psd|mp[34]|m4[av]|mov|avi|webm|ogg|wav|flac|woff2?|ttf|otf|eot|pdf|zip|gz|tgz|bz2|xz|zst|7z|rar|jar|war|class|pyc|o|a|so|dylib|dll|exe|wasm|node|bin|dat|db|sqlite3?|parquet|onnx|pt|safetensors)$/i

/**
 * Copies the text of a source into numbered files, so that no name of the repository ever becomes a name on this
 * machine: nothing can climb out, collide, or be picked up by a tool as its configuration.
 */
export async function takeSnapshot(
  source: CodeSource,
  directory: string,
  context: SnapshotContext,
): Promise<Manifest> {
  const { limits, skipped } = context
  const listed = await source.list()
  const chosen = chooseFiles(listed, limits, skipped)
  const digest = createHash('sha256')
  const files: SnapshotFile[] = []
  let totalBytes = 0
  for (let at = 0; at < chosen.length; at += batchFiles) {
    context.signal.throwIfAborted()
    const batch = chosen.slice(at, at + batchFiles)
    if (at % (batchFiles * filesPerFolder) === 0) await mkdir(folderOf(directory, at), { recursive: true })
    const read = await Promise.all(batch.map((file) => readFileOf(source, file, limits)))
    const writes: Promise<void>[] = []
    for (const [offset, file] of batch.entries()) {
      const found = read[offset]
      if (found === undefined) {
        skipped.add('files', 'they cannot be read', shownPath(file.path))
        continue
      }
      const isOverBudget = found.content !== undefined && totalBytes + found.bytes > limits.maxTotalBytes
      const content = isOverBudget ? undefined : found.content
      if (content !== undefined) totalBytes += content.length
      const entry = describeFile(file, at + offset, found.bytes, content, found.kind)
      digest.update(`${file.path}\0${found.bytes}\0${content === undefined ? '' : sha256(content)}\n`)
      files.push(entry)
      tallyUnread(entry, isOverBudget, limits, skipped)
      if (entry.stored !== undefined && content !== undefined) {
        writes.push(writeFile(join(directory, entry.stored), content, { mode: 0o600 }))
      }
    }
    await Promise.all(writes)
    const done = at + batch.length
    const says = `Read ${done.toLocaleString('en')} of ${counted(chosen.length, 'file')}`
    context.onProgress({ says, done, total: chosen.length })
  }
  const manifest: Manifest = { version: 1, commit: source.commit ?? `files-${digest.digest('hex')}`, files }
  await writeFile(join(directory, manifestName), JSON.stringify(manifest), { mode: 0o600 })
  return manifest
}

/** Path order; when there are too many, what somebody wrote comes before pictures and data. */
function chooseFiles(
  listed: readonly ListedFile[],
  limits: AnalysisLimits,
  skipped: SkippedTally,
): ListedFile[] {
  const byPath = [...listed].sort((left, right) => compareText(left.path, right.path))
  if (byPath.length <= limits.maxFiles) return byPath
  const rest = byPath.length - limits.maxFiles
  skipped.add(
    'files',
    `only the first ${limits.maxFiles} files are analysed, source code first; use "path" for a part`,
    undefined,
    rest,
  )
  const sources = byPath.filter((file) => isSourceName(file.path))
  const others = byPath.filter((file) => !isSourceName(file.path))
  return [...sources, ...others]
    .slice(0, limits.maxFiles)
    .sort((left, right) => compareText(left.path, right.path))
}

type ReadFile = {
  readonly bytes: number
  readonly content: Buffer | undefined
  readonly kind: SnapshotFile['content']
}

async function readFileOf(
  source: CodeSource,
  file: ListedFile,
  limits: AnalysisLimits,
): Promise<ReadFile | undefined> {
  const bytes = await source.size(file)
  if (bytes === undefined) return undefined
  if (binaryName.test(file.path)) return { bytes, content: undefined, kind: 'binary' }
  if (bytes > limits.maxFileBytes) return { bytes, content: undefined, kind: 'large' }
  const content = await source.read(file, limits.maxFileBytes)
  if (content === undefined) return undefined
  // The same test as Git's.
  if (content.subarray(0, 8_000).includes(0)) return { bytes, content: undefined, kind: 'binary' }
  const isPointer =
    bytes < 1_024 && content.toString('latin1').startsWith('version https://git-lfs.github.com/spec/')
  return isPointer ? { bytes, content: undefined, kind: 'lfs' } : { bytes, content, kind: 'text' }
}

function describeFile(
  file: ListedFile,
  index: number,
  bytes: number,
  content: Buffer | undefined,
  kind: SnapshotFile['content'],
): SnapshotFile {
  const path = shownPath(file.path)
  const head = content?.subarray(0, 20_000) ?? Buffer.alloc(0)
  const language = languageOf(path, head)
  return {
    index,
    path,
    ...(Buffer.from(path, 'utf8').toString('latin1') === file.path
      ? {}
      : { path_bytes: Buffer.from(file.path, 'latin1').toString('base64') }),
    ...(content === undefined ? {} : { stored: storedName(index, path) }),
    content: content === undefined && kind === 'text' ? 'large' : kind,
    bytes,
    lines: content === undefined ? 0 : countLines(content),
    language: language.name,
    syntax: language.syntax,
    is_code: language.isCode,
    role: roleOf(path, head),
    is_executable: file.mode === 'executable',
  }
}

function tallyUnread(
  file: SnapshotFile,
  isOverBudget: boolean,
  limits: AnalysisLimits,
  skipped: SkippedTally,
): void {
  if (file.stored !== undefined) return
  if (isOverBudget) skipped.add('files', `the first ${limits.maxTotalBytes} bytes are analysed`, file.path)
  else if (file.content === 'large')
    skipped.add('files', `they are larger than ${limits.maxFileBytes} bytes`, file.path)
  else if (file.content === 'lfs')
    skipped.add('files', 'their content is in Git LFS, which is not fetched', file.path)
  else skipped.add('files', 'they are binary', file.path)
}

function folderOf(directory: string, index: number): string {
  return join(directory, String(Math.floor(index / (batchFiles * filesPerFolder))))
}

/** A number and at most a harmless extension, which tells analyzers the language. */
function storedName(index: number, path: string): string {
  const extension = /^\.[a-z0-9]{1,6}$/i.test(extname(path)) ? extname(path).toLowerCase() : ''
  return `${Math.floor(index / (batchFiles * filesPerFolder))}/${String(index).padStart(7, '0')}${extension}`
}

function countLines(content: Buffer): number {
  let lines = 0
  for (let at = content.indexOf(10); at !== -1; at = content.indexOf(10, at + 1)) lines++
  return content.length > 0 && content[content.length - 1] !== 10 ? lines + 1 : lines
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
