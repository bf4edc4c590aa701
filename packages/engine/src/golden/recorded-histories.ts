import type { ConformHistory } from '../temporal/read-conform-history.ts'
import {
  type GoldenBundle,
  type GoldenHistory,
  goldenFiles,
  isBundle,
  readGolden,
  runEventsOf,
} from './golden-history.ts'

/** The histories that come with Kyros, of every wait that there is; with `workflow`, those of one. */
export function recordedHistories(workflow?: string): ConformHistory[] {
  return goldenFiles().flatMap((name) => {
    if (isBundle(name)) return []
    const { run, events } = readGolden<GoldenHistory>(name)
    const { id: runId, type, version, attempt, input, definition } = run
    if (workflow !== undefined && type !== workflow) return []
    const { source } = readGolden<GoldenBundle>(`bundle-${definition}.json`)
    return [
      {
        // Border cast: a recorded input was read as JSON.
        run: { runId, workflow: type, version, attempt, input: input as ConformHistory['run']['input'] },
        ...{ source, definition },
        events: runEventsOf(events),
      },
    ]
  })
}
