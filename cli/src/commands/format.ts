const secondMs = 1_000
const minuteMs = 60_000
const hourMs = 3_600_000
const dayMs = 86_400_000

/** `320 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  const whole = Math.max(0, ms)
  if (whole < secondMs) return `${Math.round(whole)} ms`
  if (whole < minuteMs) return `${(whole / secondMs).toFixed(1)} s`
  if (whole < hourMs)
    return `${Math.floor(whole / minuteMs)} min ${Math.round((whole % minuteMs) / secondMs)} s`
  return `${Math.floor(whole / hourMs)} h ${Math.round((whole % hourMs) / minuteMs)} min`
}

/** `5 min ago`; for people, so no more precise than that. */
export function ago(time: string, nowMs: number): string {
  const ms = nowMs - Date.parse(time)
  if (ms < minuteMs) return 'just now'
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min ago`
  return ms < dayMs ? `${Math.floor(ms / hourMs)} h ago` : `${Math.floor(ms / dayMs)} d ago`
}

export function statusText(status: string, reason: string | null): string {
  return reason === null ? status : `${status} (${reason})`
}
