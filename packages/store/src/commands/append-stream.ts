import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { refuse } from '../refusal.ts'
import { int, type Steps, text } from '../statement.ts'
import { checkEpoch } from './append-run-events.ts'
import { findRun } from './find-run.ts'

/** @throws stream_full, run_not_found, EngineFenced */
export function* appendStream(
  command: CommandOf<'append_stream'>,
  batch: Batch,
): Steps<{ lastOffset: number }> {
  const { runId, stream, chunks, step, attempt, timeMs, maxBytes, maxStreams, epoch } = command
  if (epoch !== undefined) checkEpoch(batch, epoch)
  const { ref } = findRun(batch, runId)
  const rows = yield {
    sql: 'SELECT name, chunks, bytes FROM streams WHERE run = ?',
    params: [ref],
    lock: true,
  }
  const data = JSON.stringify(chunks)
  const written = yield* findWritten(ref, command, data)
  if (written !== undefined) return { lastOffset: written }
  const bytes = Buffer.byteLength(data)
  const used = rows.reduce((sum, row) => sum + int(row, 'bytes'), 0)
  if (used + bytes > maxBytes) {
    throw refuse('stream_full', `The streams of a run hold at most ${maxBytes} bytes.`)
  }
  const known = rows.find((row) => text(row, 'name') === stream)
  if (known === undefined && rows.length >= maxStreams) {
    throw refuse('stream_full', `A run has at most ${maxStreams} streams.`)
  }
  const before = known === undefined ? 0 : int(known, 'chunks')
  yield {
    sql: `INSERT INTO streams (run, name, chunks, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (run, name)
      DO UPDATE SET chunks = streams.chunks + excluded.chunks, bytes = streams.bytes + excluded.bytes`,
    params: [ref, stream, chunks.length, bytes],
    blind: true,
  }
  yield {
    sql: `INSERT INTO stream_chunks (run, name, first, count, time_ms, step, attempt, data)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    params: [ref, stream, before + 1, chunks.length, timeMs, step, attempt, data],
    blind: true,
  }
  return { lastOffset: before + chunks.length }
}

/**
 * The last offset of the same chunks of the same attempt behind what their sender knew of, where they may have been
 * written. Writes of one run wait for each other, also on PostgreSQL: nobody is about to commit the same.
 */
function* findWritten(
  ref: number,
  { stream, step, attempt, timeMs, againAfter }: CommandOf<'append_stream'>,
  data: string,
): Steps<number | undefined> {
  if (againAfter === undefined) return undefined
  const [row] = yield {
    sql: `SELECT first, count FROM stream_chunks WHERE run = ? AND name = ? AND first > ? AND step = ? AND attempt = ?
      AND time_ms = ? AND data = ? ORDER BY first LIMIT 1`,
    params: [ref, stream, againAfter, step, attempt, timeMs, data],
  }
  return row && int(row, 'first') + int(row, 'count') - 1
}

/** With its run go its streams. */
export function* deleteStreams(ref: number): Steps<void> {
  yield { sql: 'DELETE FROM stream_chunks WHERE run = ?', params: [ref] }
  yield { sql: 'DELETE FROM streams WHERE run = ?', params: [ref] }
}
