import { resolve } from 'node:path'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { openConfig } from '../compose/open-config.ts'
import { workflowsDirOf } from '../compose/own-workflows.ts'
import { checkWorkflows } from './check-workflows.ts'

/** `kyros workflows check [dir]`: what a server would say of these files; fails when one workflow cannot be used. */
export const checkCommand: CommandFunction = async (context) => {
  const { terminal, directory, wantsJson } = context
  const { workflows, faults } = await checkWorkflows(directoryOf(context), directory)
  const errors = faults.filter(({ severity }) => severity === 'error').length
  if (wantsJson) terminal.json({ ok: errors === 0, workflows, faults })
  else {
    for (const { name, version, steps, file } of workflows) {
      const does = steps.length === 0 ? 'no steps' : steps.join(', ')
      terminal.out(`${terminal.paint('green', 'ok  ')} ${name} ${version}  ${file}  ${does}`)
    }
    for (const fault of faults) printFault(context, fault)
    if (workflows.length + faults.length === 0) terminal.note('There is no workflow here.')
  }
  return errors === 0 ? exitCode.done : exitCode.failed
}

/** The directory that was named, else the configured one, else `./workflows`. @throws CommandError when there is none */
export function directoryOf(context: CommandContext): string {
  const [named] = context.arguments
  const found =
    named === undefined
      ? workflowsDirOf(context.directory, openConfig(context).config)
      : resolve(context.directory, named)
  if (found !== undefined) return found
  throw new CommandError(
    'There is no directory ./workflows here.',
    `Make an example with \`${context.callName} init\`, or name a directory.`,
  )
}

/** Two lines: what is wrong where, and what to do. */
export function printFault(
  { terminal }: CommandContext,
  { severity, code, file, line, message, hint }: WorkflowFault,
): void {
  const mark = severity === 'error' ? terminal.paint('red', 'BAD ') : terminal.paint('yellow', 'note')
  terminal.out(`${mark} ${line === null ? file : `${file}:${line}`} ${message} (${code})`)
  terminal.out(`     → ${hint}`)
}
