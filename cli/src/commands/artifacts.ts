import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandFunction } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printTable } from '../command-line/table.ts'
import { printable } from '../command-line/terminal.ts'
import { connect } from '../connect/connect.ts'
import { idArgument } from './arguments.ts'

/** `kyros runs artifacts`: the list, or with a name the file itself. */
export const artifacts: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const { terminal } = context
  const id = idArgument(context)
  const name = context.arguments[1]
  if (name === undefined) {
    const answer = await client.call('listArtifacts', { params: { id } })
    if (context.wantsJson) terminal.json(answer)
    else {
      const columns = [
        { title: 'NAME', value: (row: (typeof answer.artifacts)[number]) => row.name },
        { title: 'TYPE', value: (row: (typeof answer.artifacts)[number]) => row.media_type },
        {
          title: 'BYTES',
          value: (row: (typeof answer.artifacts)[number]) => String(row.bytes),
          align: 'right' as const,
        },
      ]
      printTable(terminal, columns, answer.artifacts)
    }
    return exitCode.done
  }
  const response = await client.download('getArtifact', { params: { id, name } })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const output = context.options.text('output')
  if (output !== undefined) writeOutput(resolve(context.directory, output), bytes)
  else {
    const text = new TextDecoder().decode(bytes)
    // A report quotes the repository it read: on a terminal its control characters must not act.
    terminal.raw(terminal.isInteractive ? printable(text) : text)
  }
  return exitCode.done
}

function writeOutput(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new CommandError(
      `${path} cannot be written (${code}).`,
      'Give --output a path that you may write to.',
    )
  }
}
