import type { StreamPiece } from '@kyros/contract/run-operation'
import type { Engine, StreamChunk } from '@kyros/engine/engine'
import type { SseStream } from '@kyros/kernel/sse'
import { maxStreamMs } from '../events/stream-events.ts'

/** Sends what steps of a run write to a stream, the id of each message its offset; after the last comes `event: end`. */
export async function streamRun(
  stream: SseStream,
  engine: Engine,
  { id, name }: { id: string; name: string },
): Promise<void> {
  const signal = AbortSignal.any([stream.signal, AbortSignal.timeout(maxStreamMs)])
  for await (const chunks of engine.stream(id, name, { afterOffset: stream.after ?? 0 }, signal)) {
    for (const chunk of chunks) await stream.send({ id: chunk.offset, data: toPiece(chunk) })
    if (signal.aborted) return
  }
  if (!signal.aborted) await stream.send({ event: 'end', data: {} })
}

function toPiece({ offset, timeMs, step, attempt, data }: StreamChunk): StreamPiece {
  return { offset, time: new Date(timeMs).toISOString(), step, attempt, data }
}
