import type { Event } from '@kyros/contract/event'

export type StreamRequest = {
  origin: string
  /** `/api/v1/…`: a resource whose events the server streams. */
  path: string
  token: string
  /** The number of the last event that was read; 0 for all. */
  lastSeq: number
  /** Ends the connection. */
  signal: AbortSignal
  onEvent: (event: Event) => void
  /** The server says that what was asked for is not there. */
  onReset: () => void
}

/** Reads events as an EventSource does until the connection ends, which this always says by a rejection or by its end. */
export async function readEvents(request: StreamRequest): Promise<void> {
  const { origin, path, token, lastSeq, signal, onEvent, onReset } = request
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'text/event-stream',
    'last-event-id': String(lastSeq),
  }
  const answer = await fetch(`${origin}${path}`, { headers, signal })
  if (!answer.ok || answer.body === null) throw new Error(`The stream was answered with ${answer.status}`)
  let rest = ''
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const blocks = `${rest}${text}`.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      if (/^event: ?reset$/m.test(block)) onReset()
      const data = /^data: ?(.*)$/m.exec(block)?.[1]
      if (data !== undefined && /^id:/m.test(block)) onEvent(JSON.parse(data))
    }
  }
}
