import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import type { Steps } from '../statement.ts'
import { findRun } from './find-run.ts'

export function* appendLogLines(
  { runId, lines }: CommandOf<'append_log_lines'>,
  batch: Batch,
): Steps<{ lastLine: number }> {
  const entry = yield* findRun(batch, runId)
  for (const { timeMs, level, step, attempt, message } of lines) {
    batch.addLine(entry, [timeMs, level, step, attempt, message])
  }
  return { lastLine: entry.logLines }
}
