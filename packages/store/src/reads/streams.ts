import type { Json } from '@kyros/contract/json'
import type { Notices } from '../notices.ts'
import type { Store } from '../store.ts'
import { current, type Database } from './database.ts'

export function createStreamReads(database: Database, notices: Notices): Store['streams'] {
  const reads = current(database, {
    async read(runId: string, stream: string, options: { after: number; limit: number }) {
      const rows = await database.db
        .selectFrom('stream_chunks')
        .innerJoin('runs', 'runs.ref', 'stream_chunks.run')
        .where('runs.id', '=', runId)
        .where('stream_chunks.name', '=', stream)
        .where(
          'stream_chunks.first',
          '>',
          firstOfRow(await rowBefore(database, runId, stream, options.after)),
        )
        .orderBy('stream_chunks.first')
        .limit(options.limit)
        .selectAll('stream_chunks')
        .execute()
      return rows.flatMap(chunksOf).filter(({ offset }) => offset > options.after)
    },
    async list(runId: string) {
      return database.db
        .selectFrom('streams')
        .innerJoin('runs', 'runs.ref', 'streams.run')
        .where('runs.id', '=', runId)
        .orderBy('streams.name')
        .select(['streams.name', 'streams.chunks', 'streams.bytes'])
        .execute()
    },
  })
  return { ...reads, changes: (runId, signal) => notices.changes(`streams/${runId}`, signal) }
}

type ChunkRow = { first: number; count: number; time_ms: number; step: string; attempt: number; data: string }

/** The row that holds the chunk after `after`, if one before it does. */
async function rowBefore(database: Database, runId: string, stream: string, after: number) {
  return database.db
    .selectFrom('stream_chunks')
    .innerJoin('runs', 'runs.ref', 'stream_chunks.run')
    .where('runs.id', '=', runId)
    .where('stream_chunks.name', '=', stream)
    .where('stream_chunks.first', '<=', after + 1)
    .orderBy('stream_chunks.first', 'desc')
    .limit(1)
    .select('stream_chunks.first')
    .executeTakeFirst()
}

const firstOfRow = (row: { first: number } | undefined) => (row === undefined ? 0 : row.first - 1)

function chunksOf({ first, time_ms, step, attempt, data }: ChunkRow) {
  // The writer filled the column with a JSON array.
  const chunks: Json[] = JSON.parse(data)
  return chunks.map((chunk, index) => ({
    offset: first + index,
    timeMs: time_ms,
    step,
    attempt,
    data: chunk,
  }))
}
