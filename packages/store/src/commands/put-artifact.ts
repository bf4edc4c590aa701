import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import type { Steps } from '../statement.ts'
import { checkEpoch } from './append-run-events.ts'
import { findRun } from './find-run.ts'

/** The same name again replaces: an attempt that runs twice writes its artifacts twice. */
export function* putArtifact(
  { runId, name, mediaType, sha256, bytes, createdMs, epoch }: CommandOf<'put_artifact'>,
  batch: Batch,
): Steps<Record<string, never>> {
  if (epoch !== undefined) checkEpoch(batch, epoch)
  const { ref } = findRun(batch, runId)
  yield {
    sql: `INSERT INTO artifacts (run, name, media_type, sha256, bytes, created_ms) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (run, name) DO UPDATE SET media_type = excluded.media_type, sha256 = excluded.sha256,
      bytes = excluded.bytes, created_ms = excluded.created_ms`,
    params: [ref, name, mediaType, sha256, bytes, createdMs],
  }
  return {}
}
