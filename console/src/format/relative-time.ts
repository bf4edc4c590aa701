const steps = [
  { limitMs: 60_000, unitMs: 1_000, name: 's' },
  { limitMs: 3_600_000, unitMs: 60_000, name: 'min' },
  { limitMs: 86_400_000, unitMs: 3_600_000, name: 'h' },
  { limitMs: 30 * 86_400_000, unitMs: 86_400_000, name: 'd' },
]

/** A moment as seen from now: `just now`, `12 s ago`, `in 5 min`; a date once that says more. */
export function formatRelative(time: string, nowMs: number): string {
  const distanceMs = nowMs - Date.parse(time)
  const size = Math.abs(distanceMs)
  // Clocks of server and browser differ a little: a moment "in 2 s" would only look wrong.
  if (size < 5_000) return 'just now'
  const step = steps.find(({ limitMs }) => size < limitMs)
  if (step === undefined) return formatDate(time)
  const amount = `${Math.floor(size / step.unitMs)} ${step.name}`
  return distanceMs > 0 ? `${amount} ago` : `in ${amount}`
}

const dateFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const exactFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })
const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

function formatDate(time: string): string {
  return dateFormat.format(new Date(time))
}

/** The exact moment in the reader's zone, for the tip of a relative one. */
export function formatExact(time: string): string {
  return exactFormat.format(new Date(time))
}

/** The time of day, with its date when that is not today. */
export function formatMoment(time: string, nowMs: number): string {
  const date = formatDate(time)
  const clock = formatClock(time)
  return date === dateFormat.format(nowMs) ? clock : `${date}, ${clock}`
}

/** The time of day with milliseconds when asked: `14:03:22.118`. */
export function formatClock(time: string, withMs = false): string {
  const date = new Date(time)
  const clock = clockFormat.format(date)
  return withMs ? `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}` : clock
}
