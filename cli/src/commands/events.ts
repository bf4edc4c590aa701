import type { Answer } from '@kyros/contract/operation'
import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { connect } from '../connect/connect.ts'
import { pageQuery, printNextPage } from './arguments.ts'
import { untilInterrupted } from './interrupt.ts'
import { readJsonArgument } from './read-json-argument.ts'
import { saySilence } from './say-silence.ts'

type Event = Answer<'listEvents'>['events'][number]

const afterBounds = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }

export const listEvents: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const query = {
    type: context.options.text('type'),
    subject: context.options.text('subject'),
    after: context.options.integer('after', afterBounds),
    ...pageQuery(context),
  }
  const page = await client.call('listEvents', { query })
  if (context.wantsJson) context.terminal.json(page)
  else {
    for (const event of page.events) printEvent(context, event)
    printNextPage(context, page.next_cursor, page.events.length)
  }
  return exitCode.done
}

export const tailEvents: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const query = { type: context.options.text('type') }
  // Without a number the reader wants what comes now, not the whole log.
  const after = context.options.integer('after', afterBounds) ?? (await client.call('stats')).as_of_seq
  const heard = saySilence(context.terminal, 'No event since the command began.')
  await untilInterrupted(async (signal) => {
    const stream = client.stream('streamEvents', { query, after, signal })
    for await (const message of stream) {
      heard()
      if (message.kind === 'item') printEvent(context, message.item)
      else context.terminal.note('The log no longer keeps these numbers; going on with what it has.')
    }
  }).finally(heard)
  return exitCode.done
}

export const emitEvent: CommandFunction = async (context) => {
  const payload = readJsonArgument('payload', context.options.text('payload'), context.directory)
  const { client } = await connect(context)
  const body = { type: context.arguments[0] ?? '', ...(payload !== undefined && { payload }) }
  const answer = await client.call('emitEvent', { body })
  if (context.wantsJson) context.terminal.json(answer)
  else context.terminal.out(`Event ${answer.seq} is written.`)
  return exitCode.done
}

function printEvent(context: CommandContext, event: Event): void {
  if (context.wantsJson) context.terminal.json(event)
  else context.terminal.out([event.seq, event.time, event.type, event.subject].join('\t'))
}
