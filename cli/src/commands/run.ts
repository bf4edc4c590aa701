import type { CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { connect } from '../connect/connect.ts'
import { idArgument } from './arguments.ts'
import { followRun } from './follow-run.ts'
import { readJsonArgument } from './read-json-argument.ts'
import { titleOf, withAbsoluteRepository } from './repository-input.ts'

/** `kyros run <workflow>`: starts it, and with `--follow` shows it until it ends. */
export const run: CommandFunction = async (context) => {
  const { options, terminal } = context
  const workflow = context.arguments[0] ?? ''
  const given = readJsonArgument('input', options.text('input'), context.directory)
  const input = withAbsoluteRepository(workflow, given, context.directory)
  const { client } = await connect(context)
  const started = await client.call('startRun', {
    body: {
      name: options.text('title') ?? titleOf(workflow, input),
      type: workflow,
      ...(input !== undefined && { input }),
    },
  })
  if (options.flag('follow')) return followRun(context, started.run_id)
  if (context.wantsJson) terminal.json(started)
  else {
    terminal.out(started.run_id)
    terminal.note(`Watch it with: ${context.callName} runs follow ${started.run_id}`)
  }
  return exitCode.done
}

export const followRunCommand: CommandFunction = (context) => followRun(context, idArgument(context))
