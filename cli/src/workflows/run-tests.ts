import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandFunction } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { type ExitCode, exitCode } from '../command-line/exit-code.ts'
import { directoryOf } from './check.ts'

const testFile = /\.test\.m?[jt]s$/
const foreign = /(^|[\\/])(node_modules|\.[^\\/]+)[\\/]/

/** `kyros workflows test [dir]`: Node's own test runner, on the Node that runs Kyros, with `kyros/testing` at hand. */
export const testCommand: CommandFunction = async (context) => {
  const dir = directoryOf(context)
  const files = testsBelow(dir)
  if (files.length === 0) {
    throw new CommandError(`There is no test in ${dir}.`, 'A test is a file such as pay.test.ts.')
  }
  const hooks = import.meta.resolve('@kyros/engine/definitions/register-author-modules')
  const reporter = context.wantsJson ? ['--test-reporter=tap'] : []
  const words = ['--import', hooks, '--test', ...reporter, ...files]
  const child = spawn(process.execPath, words, {
    cwd: context.directory,
    env: { ...context.env },
    stdio: 'inherit',
  })
  // Ctrl-C reaches the child too; this process waits for its answer.
  process.on('SIGINT', () => undefined)
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, () => child.kill(name))
  return new Promise<ExitCode>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code === 0 ? exitCode.done : exitCode.failed))
  })
}

function testsBelow(dir: string): string[] {
  let names: string[]
  try {
    names = readdirSync(dir, { recursive: true, encoding: 'utf8' })
  } catch {
    throw new CommandError(`${dir} cannot be read.`, 'Name a directory with workflows.')
  }
  return names
    .filter((name) => testFile.test(name) && !foreign.test(name))
    .sort()
    .map((name) => join(dir, name))
}
