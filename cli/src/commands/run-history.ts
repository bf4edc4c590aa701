import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { connect } from '../connect/connect.ts'
import { idArgument } from './arguments.ts'

/** `kyros runs history <run-id>`: everything that a replay needs, as JSON; `kyros/testing` reads it. */
export const runHistory: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const history = await client.call('getRunHistory', { params: { id: idArgument(context) } })
  const output = context.options.text('output')
  if (output === undefined) {
    context.terminal.json(history)
    return exitCode.done
  }
  writeFileSync(resolve(context.directory, output), `${JSON.stringify(history, null, 1)}\n`)
  context.terminal.note(`${history.events.length} events are in ${output}.`)
  return exitCode.done
}
