const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** A length of time in at most two units and three digits: `850 ms`, `3.2 s`, `1 min 12 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  const length = Math.max(0, ms)
  if (length < second) return `${Math.round(length)} ms`
  // 9,960 ms would round to "10.0 s"; from there on whole seconds are exact enough.
  if (length < 9_950) return `${Math.round(length / 100) / 10} s`
  const whole = Math.round(length / second) * second
  if (whole < minute) return `${whole / second} s`
  if (whole < hour) return pair(whole, [minute, 'min'], [second, 's'])
  if (whole < day) return pair(whole, [hour, 'h'], [minute, 'min'])
  return pair(whole, [day, 'd'], [hour, 'h'])
}

type Unit = readonly [ms: number, name: string]

function pair(ms: number, [bigMs, bigName]: Unit, [smallMs, smallName]: Unit): string {
  const big = Math.floor(ms / bigMs)
  const small = Math.floor((ms - big * bigMs) / smallMs)
  return small === 0 ? `${big} ${bigName}` : `${big} ${bigName} ${small} ${smallName}`
}

/** How long something took, or has taken so far; undefined before it began. */
export function elapsedMs(
  { started_at, completed_at }: { started_at: string | null; completed_at: string | null },
  nowMs: number,
): number | undefined {
  if (started_at === null) return undefined
  const endMs = completed_at === null ? nowMs : Date.parse(completed_at)
  return Math.max(0, endMs - Date.parse(started_at))
}
