import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { createClient } from '@kyros/client/client'
import { watchRun } from '../commands/follow-run.ts'
import { createRunDisplay } from '../commands/run-display.ts'
import { summaryLines } from '../commands/run-summary.ts'
import type { RunningServer } from '../compose/run-server.ts'
import { localAccess } from '../connect/connect.ts'

const gitTimeoutMs = 10_000

/**
 * Analyses a repository and shows how: the one named, or at the first start the one around the working directory.
 * Ctrl-C stops the server, and the run with it until the next start.
 */
export async function welcome(server: RunningServer, named: string | undefined): Promise<void> {
  const { context, isFirstStart, url, serverLog, stopping } = server
  const { terminal, directory } = context
  if (named === undefined && !isFirstStart) return
  const repository = named === undefined ? repositoryAround(directory) : repositoryNamed(named, directory)
  if (repository === undefined) {
    terminal.out('')
    terminal.out(`${directory} is no git repository: no sample job. Name one with: npm start -- <path>`)
    return
  }
  const client = createClient({ baseUrl: url, access: localAccess(server.credentialDir) })
  terminal.out('')
  terminal.out(`Analysing ${repository} (a sample job; --no-welcome leaves it out)`)
  const started = await client.call('startRun', {
    body: { name: `Analysis of ${repository}`, type: 'code_analysis', input: { repository } },
  })
  // Log lines between two drawings of the live list would tear it.
  const held: string[] = []
  if (terminal.isInteractive) serverLog.redirect((text) => void held.push(text))
  try {
    const display = createRunDisplay(terminal)
    const run = await watchRun(client, started.run_id, display, stopping)
    for (const line of summaryLines(terminal, run, context.callName)) terminal.out(line)
    terminal.out('')
    terminal.out(`See it in the console: ${url}/jobs/${started.job_id}`)
    if (isFirstStart) terminal.out('How to sign in is shown above, under Sign in.')
  } finally {
    serverLog.redirect(undefined)
    for (const text of held) process.stderr.write(text)
  }
}

/** The root of the repository that holds a directory; undefined outside of one. */
function repositoryAround(directory: string): string | undefined {
  const answer = spawnSync('git', ['-C', directory, 'rev-parse', '--show-toplevel'], {
    encoding: 'utf8',
    timeout: gitTimeoutMs,
  })
  const root = answer.status === 0 ? answer.stdout.trim() : ''
  return root === '' ? undefined : root
}

/** A path becomes absolute; an address stays as it is, and so does what is not there: the run says so. */
function repositoryNamed(named: string, directory: string): string {
  const path = resolve(directory, named)
  return existsSync(path) ? realpathSync(path) : named
}
