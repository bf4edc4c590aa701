import type { ErrorData, RunEvent } from '@kyros/contract/event'
import type { Json, JsonObject } from '@kyros/contract/json'
import { failureOf, payloads } from './convert-history.ts'
import { inlineLimits } from './start-facts.ts'

/**
 * Which attempts of a part would be local activities on a cluster, as `<command>/<attempt>`: by the rule of
 * `adapter-inline.ts`, but for how long a workflow task may stay open.
 */
export function inlineAttempts(events: readonly RunEvent[]): ReadonlySet<string> {
  const inline = new Set<number>()
  const paused = new Set<number>()
  const found = new Set<string>()
  let running: number | undefined
  const begin = (command: number, attempt: number) => {
    if (!inline.has(command) || running !== undefined) return
    running = command
    found.add(`${command}/${attempt}`)
  }
  for (const { type, data, time } of events) {
    switch (type) {
      case 'step.scheduled': {
        const { mode, start_to_close_ms: limitMs = Infinity, command } = data
        if (mode === 'inline' && limitMs <= inlineLimits.longestMs) inline.add(command)
        begin(command, 1)
        break
      }
      case 'step.started':
        if (paused.delete(data.command)) begin(data.command, data.attempt)
        break
      case 'step.completed':
      case 'step.failed':
      case 'step.cancelled':
        if (running === data.command) running = undefined
        if (type === 'step.failed' && Date.parse(data.retry_at ?? time) > Date.parse(time))
          paused.add(data.command)
        break
      default:
    }
  }
  return found
}

/** An attempt under way as a local activity. `task`: the workflow task that it began in. */
export type InlineAttempt = { seq: number; step: string; time: string; task: string }

export type InlineEnd = { output: Json } | { error: ErrorData } | { cancelled: true }

/** What the core records of a local activity that has ended. */
export function inlineMarker(
  { seq, step, time }: InlineAttempt,
  endTime: string,
  end: InlineEnd,
): JsonObject {
  const data = {
    ...{ seq, attempt: 1, activity_id: String(seq), activity_type: step, backoff: null },
    complete_time: timestamp(endTime),
    original_schedule_time: timestamp(time),
  }
  const result: JsonObject = 'output' in end ? { result: payloads([end.output]) } : {}
  const details = { data: payloads([data]), ...result }
  return { markerName: inlineMarkerName, details, ...failureIn(end) }
}

export const inlineMarkerName = 'core_local_activity'

function failureIn(end: InlineEnd): JsonObject {
  if ('cancelled' in end) return { failure: { message: 'Activity cancelled', canceledFailureInfo: {} } }
  if ('output' in end) return {}
  const { code, message, retryable = true } = end.error
  return { failure: failureOf(code, message, [{ retryable }]) }
}

function timestamp(time: string): JsonObject {
  const ms = Date.parse(time)
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 }
}
