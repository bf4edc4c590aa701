import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

export type Message = { id: string | undefined; event: string | undefined; data: string }

/** Lets a test platform's app listen on a free port of loopback; answers its address. */
export async function listen(app: FastifyInstance): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo // it listens on TCP, so the address is no string
  return `http://127.0.0.1:${port}`
}

export type OpenStream = {
  response: Response
  /** Reads until `count` messages have come or the stream has ended. */
  take(count: number): Promise<Message[]>
  /** Everything up to the end of the stream. */
  rest(): Promise<Message[]>
  close(): Promise<void>
}

/** Reads an event stream over a real connection, as the operator. */
export async function openStream(url: string, headers: Record<string, string> = {}): Promise<OpenStream> {
  const stop = new AbortController()
  const response = await fetch(url, {
    headers: { authorization: 'Bearer operator', accept: 'text/event-stream', ...headers },
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(15_000)]),
  })
  const blocks = blocksOf(response)
  const take = async (count: number) => {
    const messages: Message[] = []
    while (messages.length < count) {
      const next = await blocks.next()
      if (next.done) break
      messages.push(next.value)
    }
    return messages
  }
  return {
    response,
    take,
    rest: () => take(Number.POSITIVE_INFINITY),
    close: async () => {
      stop.abort()
      await blocks.return(undefined).catch(() => undefined)
    },
  }
}

async function* blocksOf(response: Response): AsyncGenerator<Message, undefined> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const message = parseBlock(block)
      if (message.data !== '') yield message
    }
  }
  return undefined
}

function parseBlock(block: string): Message {
  const field = (name: string) =>
    block
      .split('\n')
      .filter((line) => line.startsWith(`${name}: `))
      .map((line) => line.slice(name.length + 2))
  return { id: field('id')[0], event: field('event')[0], data: field('data').join('\n') }
}
