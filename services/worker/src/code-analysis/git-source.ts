import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StepError } from '@kyros/workflows/step-error'
import type { CodeSource, ListedFile } from './code-source.ts'
import { type GitProgram, runGit } from './git-command.ts'
import type { GitLocation } from './git-location.ts'
import { GitObjects } from './git-objects.ts'
import { resolveReference } from './git-reference.ts'
import { commitOf, listTree, treeAt } from './git-tree.ts'
import type { AnalysisLimits } from './limits.ts'
import type { Progress } from './progress-report.ts'
import { counted } from './quantity.ts'
import type { SkippedTally } from './skipped.ts'

export type SourceContext = {
  readonly program: GitProgram
  readonly limits: AnalysisLimits
  readonly signal: AbortSignal
  /** A private directory for what the source needs while it is open. */
  readonly scratch: string
  readonly skipped: SkippedTally
  readonly onProgress: (progress: Progress) => void
}

/**
 * An empty repository of our own. Git is pointed at it and borrows only the objects of the one that is analysed,
 * so that the other's configuration, hooks, attributes, replacements and remotes are never even opened.
 */
export async function makeOwnRepository(scratch: string, objectFormat: 'sha1' | 'sha256'): Promise<string> {
  const directory = join(scratch, 'git')
  await mkdir(join(directory, 'objects'), { recursive: true })
  await mkdir(join(directory, 'refs'), { recursive: true })
  const format =
    objectFormat === 'sha256'
      ? '[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n'
      : '[core]\n\trepositoryformatversion = 0\n\tbare = true\n'
  await writeFile(join(directory, 'config'), format)
  await writeFile(join(directory, 'HEAD'), 'ref: refs/heads/none\n')
  return directory
}

export type CommitQuestion = { readonly reference: string | undefined; readonly folder: string }

/** Opens a commit of a repository on this machine. @throws as `resolveReference`, `commitOf` and `treeAt` */
export async function openLocalSource(
  location: GitLocation,
  question: CommitQuestion,
  context: SourceContext,
): Promise<CodeSource> {
  const reference = await resolveReference(location, question.reference)
  const own = await makeOwnRepository(context.scratch, location.objectFormat)
  const env = { GIT_DIR: own, GIT_OBJECT_DIRECTORY: join(location.commonDirectory, 'objects') }
  const source = await openCommit(
    { hash: reference.hash, branch: reference.branch, own, env, folder: question.folder },
    context,
  )
  const { workTree } = location
  if (workTree === undefined || question.reference !== undefined || source.commit === undefined) return source
  const { commit } = source
  return { ...source, isDirty: () => isWorkTreeDirty(location, workTree, { own, env, commit }, context) }
}

/** Opens an object that is already in a repository of our own. */
export async function openCommit(
  from: {
    hash: string
    branch: string | undefined
    own: string
    env: { [name: string]: string }
    folder: string
  },
  context: SourceContext,
): Promise<CodeSource> {
  const objects = new GitObjects(context.program, from.env, from.own, context.signal)
  try {
    const commit = await commitOf(objects, from.hash)
    const top = await treeAt(objects, commit, from.folder)
    return {
      commit,
      branch: from.branch,
      folder: from.folder,
      list: async () =>
        'mode' in top
          ? [top]
          : await listTree(objects, top, context.limits, context.skipped, (files) =>
              context.onProgress({ says: `Listed ${counted(files, 'file')} so far`, done: files }),
            ),
      size: async (file: ListedFile) => (await objects.info(file.hash))?.bytes,
      read: async (file: ListedFile) => await objects.content(file.hash),
      isDirty: async () => undefined,
      close: async () => {
        objects.close()
        await rm(from.own, { recursive: true, force: true })
      },
    }
  } catch (error) {
    objects.close()
    throw error
  }
}

const statusTimeoutMs = 10_000
const maxStatusBytes = 4_000_000

/**
 * Compares index and working tree with our own settings: filters and fsmonitor exist only by configuration, and
 * the repository's is not read. A status that fails or takes long is simply not known.
 */
async function isWorkTreeDirty(
  location: GitLocation,
  workTree: string,
  ours: { own: string; env: { [name: string]: string }; commit: string },
  context: SourceContext,
): Promise<boolean | undefined> {
  const index = join(location.gitDirectory, 'index')
  if ((await stat(index).catch(() => undefined)) === undefined) return undefined
  await writeFile(join(ours.own, 'HEAD'), `${ours.commit}\n`)
  const exclude = join(location.commonDirectory, 'info', 'exclude')
  const result = await runGit(
    context.program,
    [
      '-c',
      `core.excludesFile=${exclude}`,
      '-c',
      'core.bare=false',
      'status',
      '--porcelain',
      '-z',
      '--no-renames',
      '--ignore-submodules=all',
      '--untracked-files=normal',
    ],
    {
      signal: context.signal,
      timeoutMs: statusTimeoutMs,
      maxOutputBytes: maxStatusBytes,
      cwd: workTree,
      env: { ...ours.env, GIT_INDEX_FILE: index, GIT_WORK_TREE: workTree },
    },
  ).catch((error: unknown) => {
    if (context.signal.aborted || error instanceof StepError) throw error
    return undefined
  })
  return result?.exitCode === 0 ? result.stdout.length > 0 : undefined
}
