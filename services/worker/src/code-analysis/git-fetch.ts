import { opendir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StepError } from '@kyros/workflows/step-error'
import type { CodeSource } from './code-source.ts'
import { gitEnvironment, gitSettings, startFailure } from './git-command.ts'
import { isReferenceName } from './git-reference.ts'
import { type CommitQuestion, makeOwnRepository, openCommit, type SourceContext } from './git-source.ts'
import { type GuardedResult, runGuarded } from './guarded-command.ts'
import { byteSize } from './quantity.ts'

const maxFetchOutputBytes = 1_000_000

/**
 * Fetches one commit of a remote, without history, tags and submodules, into a repository of our own.
 * @throws repository_unreachable, repository_missing, repository_not_readable, branch_missing, repository_too_large
 */
export async function openRemoteSource(
  remote: { url: string; protocol: 'https' | 'ssh' },
  question: CommitQuestion,
  context: SourceContext,
): Promise<CodeSource> {
  const { reference } = question
  if (reference !== undefined && !isReferenceName(reference)) throw branchMissing(reference)
  const own = await makeOwnRepository(context.scratch, 'sha1')
  const result = await runGuarded({
    command: context.program.gitPath,
    args: [
      ...fetchSettings,
      'fetch',
      '--depth=1',
      '--no-tags',
      '--no-recurse-submodules',
      '--no-write-commit-graph',
      '--quiet',
      '--',
      remote.url,
      reference ?? 'HEAD',
    ],
    cwd: own,
    env: gitEnvironment(context.program, fetchEnvironment(own, remote.protocol, context)),
    timeoutMs: context.limits.fetchTimeoutMs,
    maxOutputBytes: maxFetchOutputBytes,
    signal: context.signal,
    objection: async () => {
      const bytes = await directoryBytes(own)
      context.onProgress({ says: `Fetched ${byteSize(bytes)} so far`, done: bytes })
      return bytes > context.limits.maxFetchBytes
        ? `more than ${context.limits.maxFetchBytes} bytes`
        : undefined
    },
  })
  if (result.ended !== 'exited' || result.exitCode !== 0) throw fetchFailure(result, reference, context)
  const fetched = await readFile(join(own, 'FETCH_HEAD'), 'utf8')
  const hash = /^[0-9a-f]{40,64}/.exec(fetched)?.[0] ?? ''
  return await openCommit(
    { hash, branch: reference, own, env: { GIT_DIR: own }, folder: question.folder },
    context,
  )
}

const fetchSettings: readonly string[] = [
  ...gitSettings,
  ...[
    'protocol.https.allow=always',
    'protocol.ssh.allow=always',
    'http.followRedirects=initial',
    // A line that stays silent ends by itself, also when nobody is left to end it.
    'http.lowSpeedLimit=1000',
    'http.lowSpeedTime=60',
  ].flatMap((setting) => ['-c', setting]),
]

function fetchEnvironment(
  own: string,
  protocol: 'https' | 'ssh',
  context: SourceContext,
): { [name: string]: string } {
  const { sshAuthSocket } = context.program.environment
  return {
    GIT_DIR: own,
    GIT_ALLOW_PROTOCOL: protocol,
    GIT_SSH_COMMAND:
      'ssh -oBatchMode=yes -oConnectTimeout=20 -oClearAllForwardings=yes -oPermitLocalCommand=no',
    GIT_SSH_VARIANT: 'ssh',
    ...(sshAuthSocket === undefined ? {} : { SSH_AUTH_SOCK: sshAuthSocket }),
  }
}

async function directoryBytes(directory: string): Promise<number> {
  let bytes = 0
  for await (const entry of await opendir(directory, { recursive: true })) {
    if (entry.isFile())
      bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0
  }
  return bytes
}

/** Git has no codes for what went wrong in a fetch, only words; this is the one place that reads them. */
function fetchFailure(result: GuardedResult, reference: string | undefined, context: SourceContext): unknown {
  const says = result.stderr
  if (result.ended === 'not_started') {
    return startFailure(context.program, Object.assign(new Error('not started'), { code: 'ENOENT' }))
  }
  if (result.ended === 'objected') {
    return failure(
      'repository_too_large',
      `The repository is too large to fetch: ${result.objection}. Clone it on this machine and analyse a "path" of it.`,
    )
  }
  if (result.ended === 'timed_out') {
    return failure(
      'repository_unreachable',
      'The fetch took too long. Try again, or clone the repository on this machine.',
      true,
    )
  }
  if (/couldn't find remote ref HEAD/i.test(says)) {
    return failure('repository_empty', 'The repository has no commit yet. Push one and run this again.')
  }
  if (/couldn't find remote ref|not our ref|unadvertised object/i.test(says) && reference !== undefined)
    return branchMissing(reference)
  if (/authentication failed|could not read|permission denied|host key verification|publickey/i.test(says)) {
    return failure(
      'repository_not_readable',
      'The server wants credentials. For ssh, let the ssh agent of the user that runs Kyros hold a key and add the host to known_hosts; for https, the repository must be public.',
    )
  }
  if (/repository not found|not found|does not appear to be a git repository|error: 404/i.test(says)) {
    return failure('repository_missing', 'There is no Git repository at this address. Check the spelling.')
  }
  return failure('repository_unreachable', `Git could not fetch the repository: ${lastLine(says)}`, true)
}

function branchMissing(reference: string): StepError {
  return failure(
    'branch_missing',
    `The repository has no branch or tag ${JSON.stringify(reference)}. Check the spelling.`,
  )
}

function failure(code: string, message: string, retryable = false): StepError {
  return new StepError(code, message, { retryable })
}

function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 300)
}
