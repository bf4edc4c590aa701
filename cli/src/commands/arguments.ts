import type { CommandContext } from '../command-line/command-context.ts'

const defaultLimit = 20
const maxLimit = 200

/** The id a command was called with; commander has made sure that there is one. */
export function idArgument(context: CommandContext): string {
  return context.arguments[0] ?? ''
}

export function pageQuery(context: CommandContext): { limit: number; cursor?: string } {
  const cursor = context.options.text('cursor')
  const limit = context.options.integer('limit', { minimum: 1, maximum: maxLimit }) ?? defaultLimit
  return { limit, ...(cursor !== undefined && { cursor }) }
}

/** The moment that is asked for, as the server takes it; nothing for the present. */
export function asOfQuery(context: CommandContext): { as_of?: string } {
  const asOf = context.options.text('asOf')
  return asOf === undefined ? {} : { as_of: asOf }
}

/** Says how to see more, or that there is nothing, to the person and not into a pipe. */
export function printNextPage(context: CommandContext, cursor: string | null, count: number): void {
  if (cursor !== null) context.terminal.note(`There are more: repeat with --cursor ${cursor}`)
  else if (count === 0) context.terminal.note('None.')
}
