import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printable, type Terminal } from '../command-line/terminal.ts'
import { connect } from '../connect/connect.ts'
import { idArgument } from './arguments.ts'
import { untilInterrupted } from './interrupt.ts'
import { readJsonArgument } from './read-json-argument.ts'
import { saySilence } from './say-silence.ts'

/** An update is waited for that long by the server. */
const updateTimeoutMs = 40_000

export const signalRun: CommandFunction = async (context) => {
  const request = readRequest(context)
  const { client } = await connect(context)
  const answer = await client.call('signalRun', request)
  if (context.wantsJson) context.terminal.json(answer)
  else context.terminal.out(answer.message)
  return exitCode.done
}

export const queryRun: CommandFunction = async (context) => {
  const request = readRequest(context)
  const { client } = await connect(context)
  printResult(context, await client.call('queryRun', request))
  return exitCode.done
}

export const updateRun: CommandFunction = async (context) => {
  const request = readRequest(context)
  const { client } = await connect(context)
  printResult(context, await client.call('updateRun', { ...request, timeoutMs: updateTimeoutMs }))
  return exitCode.done
}

const offsetBounds = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }

/** Text as it is, one piece after the other; anything else, and everything with `--json`, one line each. */
export const streamRun: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const { params } = readRequest(context)
  const after = context.options.integer('after', offsetBounds)
  const heard = saySilence(context.terminal, `No step has written to the stream ${params.name} yet.`)
  await untilInterrupted(async (signal) => {
    const start = after === undefined ? {} : { after }
    for await (const message of client.stream('streamRun', { params, signal, ...start })) {
      heard()
      if (message.kind === 'reset') continue
      if (context.wantsJson) context.terminal.json(message.item)
      else if (typeof message.item.data === 'string') writeText(context.terminal, message.item.data)
      else context.terminal.out(JSON.stringify(message.item.data))
    }
  }).finally(heard)
  return exitCode.done
}

/** What a model says may hold control characters: on a terminal they must not act. */
function writeText(terminal: Terminal, text: string): void {
  terminal.raw(terminal.isInteractive ? printable(text) : text)
}

function readRequest(context: CommandContext) {
  const name = context.arguments[1] ?? ''
  const body = readJsonArgument('input', context.options.text('input'), context.directory) ?? null
  return { params: { id: idArgument(context), name }, body }
}

function printResult({ terminal, wantsJson }: CommandContext, answer: { result: unknown }): void {
  if (wantsJson) terminal.json(answer)
  else terminal.out(JSON.stringify(answer.result, null, 2))
}
