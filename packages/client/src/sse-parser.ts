/** One block of a stream of server-sent events. */
export type SseBlock = { id: string | undefined; event: string; data: string; retryMs: number | undefined }

/** A server that sends a longer block than this without ending it is not ours. */
const maxBlockChars = 16 * 1024 * 1024

/**
 * Takes text as it comes, in pieces cut anywhere, and gives the blocks that are complete. Comments are dropped.
 * @throws when a block does not end within 16 million characters
 */
export function createSseParser(): (chunk: string) => SseBlock[] {
  let rest = ''
  return (chunk) => {
    rest += chunk
    const blocks: SseBlock[] = []
    for (;;) {
      const end = /\r\n\r\n|\n\n|\r\r/.exec(rest)
      if (end === null) break
      const block = parseBlock(rest.slice(0, end.index))
      rest = rest.slice(end.index + end[0].length)
      if (block !== undefined) blocks.push(block)
    }
    if (rest.length > maxBlockChars) throw new Error('a block of the event stream does not end')
    return blocks
  }
}

function parseBlock(text: string): SseBlock | undefined {
  const block: SseBlock = { id: undefined, event: 'message', data: '', retryMs: undefined }
  const data: string[] = []
  for (const line of text.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':')
    if (colon === 0 || line === '') continue
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') data.push(value)
    else if (field === 'event') block.event = value
    else if (field === 'id') block.id = value
    else if (field === 'retry' && /^\d+$/.test(value)) block.retryMs = Number(value)
  }
  if (data.length === 0 && block.id === undefined && block.retryMs === undefined) return undefined
  return { ...block, data: data.join('\n') }
}
