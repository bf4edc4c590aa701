import type { Run, Step } from '@kyros/contract/run'

export type Segment = {
  key: string
  /**
   * `attempt` is work, `cut_off` is work that the end of the server lost; the others are waits: for a worker, between
   * two attempts, for a moment, for an answer, for another run.
   */
  kind: 'attempt' | 'cut_off' | 'queued' | 'backoff' | Exclude<Step['kind'], 'step'>
  status: 'running' | 'completed' | 'failed' | 'cancelled' | 'pending'
  attempt: number | undefined
  fromMs: number
  toMs: number
}

export type Lane = { step: Step; segments: Segment[]; durationMs: number }
export type Tick = { atMs: number; offsetMs: number }
export type Timeline = { fromMs: number; toMs: number; lanes: Lane[]; ticks: Tick[] }

const minSpanMs = 1_000
const wantedTicks = 6
const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
/** The distances between marks that people count in. */
const tickStepsMs = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 5, 10, 30].map((count) => count * day),
]

/**
 * Where each try and each wait of a run lies in time. Waits shorter than a thousandth of the run are left out.
 * `zoom` is how many times wider than its window the picture is: it has as many more marks. A picture of the past
 * (which ends at `nowMs`) keeps the span of the present, so that it stands still while the moment moves.
 */
export function timelineLayout(run: Run, nowMs: number, zoom = 1, present?: Run): Timeline {
  const fromMs = Date.parse(run.created_at)
  // The clock of the page ticks once a second, and events come in between: the picture ends with the later of the two.
  const endMs = endOf(run, nowMs)
  const toMs = Math.max(present === undefined ? endMs : endOf(present, nowMs), fromMs + minSpanMs)
  const leastMs = (toMs - fromMs) / 1000
  const lanes = [...run.steps]
    .sort((a, b) => a.command - b.command)
    .map((step) => {
      const segments = segmentsOf(step, endMs).filter(
        ({ kind, fromMs: from, toMs: to }) => kind === 'attempt' || kind === 'cut_off' || to - from > leastMs,
      )
      return { step, segments, durationMs: laneDurationMs(step, endMs) }
    })
  return { fromMs, toMs, lanes, ticks: ticksOf(fromMs, toMs, wantedTicks * zoom) }
}

function endOf(run: Run, nowMs: number): number {
  return run.completed_at === null ? Math.max(nowMs, latestMs(run.steps)) : Date.parse(run.completed_at)
}

function latestMs(steps: readonly Step[]): number {
  return Math.max(0, ...steps.map((step) => Date.parse(step.completed_at ?? step.scheduled_at)))
}

/** How far along the timeline a moment is, in percent. */
export function positionOf({ fromMs, toMs }: Timeline, atMs: number): number {
  const share = (atMs - fromMs) / (toMs - fromMs)
  return Math.min(100, Math.max(0, share * 100))
}

function segmentsOf(step: Step, endMs: number): Segment[] {
  const scheduledMs = Date.parse(step.scheduled_at)
  if (step.kind !== 'step') return [waitSegment(step, step.kind, scheduledMs, endMs)]
  const attempts = [...step.attempts].sort((a, b) => a.attempt - b.attempt)
  const segments: Segment[] = []
  let freeMs = scheduledMs
  for (const { attempt, status, started_at, completed_at, earlier_starts = [] } of attempts) {
    const startMs = Date.parse(started_at)
    const kind = attempt === 1 ? 'queued' : 'backoff'
    segments.push(wait(`wait-${attempt}`, kind, freeMs, Date.parse(earlier_starts[0] ?? started_at)))
    for (const [index, time] of earlier_starts.entries()) {
      const toMs = Date.parse(earlier_starts[index + 1] ?? started_at)
      const cut = { kind: 'cut_off', status: 'cancelled', attempt } as const
      segments.push({ ...cut, key: `cut-${attempt}-${index}`, fromMs: Date.parse(time), toMs })
    }
    freeMs = completed_at === null ? endMs : Date.parse(completed_at)
    segments.push({ key: `try-${attempt}`, kind: 'attempt', status, attempt, fromMs: startMs, toMs: freeMs })
  }
  if (step.status === 'pending') {
    segments.push(wait('wait-next', attempts.length === 0 ? 'queued' : 'backoff', freeMs, endMs))
  }
  return segments
}

function wait(key: string, kind: 'queued' | 'backoff', fromMs: number, toMs: number): Segment {
  return { key, kind, status: 'pending', attempt: undefined, fromMs, toMs: Math.max(fromMs, toMs) }
}

function waitSegment(step: Step, kind: Segment['kind'], fromMs: number, endMs: number): Segment {
  const toMs = step.completed_at === null ? endMs : Date.parse(step.completed_at)
  return { key: kind, kind, status: step.status, attempt: undefined, fromMs, toMs }
}

function laneDurationMs(step: Step, endMs: number): number {
  const startMs = Date.parse(step.started_at ?? step.scheduled_at)
  return (step.completed_at === null ? endMs : Date.parse(step.completed_at)) - startMs
}

function ticksOf(fromMs: number, toMs: number, count: number): Tick[] {
  const stepMs = tickStepMs((toMs - fromMs) / count)
  const ticks: Tick[] = []
  for (let offsetMs = 0; fromMs + offsetMs <= toMs; offsetMs += stepMs)
    ticks.push({ atMs: fromMs + offsetMs, offsetMs })
  return ticks
}

/** The smallest distance that leaves no more marks than wanted. */
function tickStepMs(leastMs: number): number {
  return tickStepsMs.find((stepMs) => stepMs >= leastMs) ?? Math.ceil(leastMs / day) * day
}
