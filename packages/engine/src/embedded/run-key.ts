/** The id of a run as four numbers of 32 bits. */
export type RunKey = readonly [number, number, number, number]

const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Undefined for what is no UUID in small letters. */
export function keyOf(runId: string): RunKey | undefined {
  if (!canonical.test(runId)) return undefined
  return [
    Number.parseInt(runId.slice(0, 8), 16),
    Number.parseInt(runId.slice(9, 13) + runId.slice(14, 18), 16),
    Number.parseInt(runId.slice(19, 23) + runId.slice(24, 28), 16),
    Number.parseInt(runId.slice(28), 16),
  ]
}

export function idOf([first, second, third, fourth]: RunKey): string {
  const [b, c] = [hex(second), hex(third)]
  return `${hex(first)}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${hex(fourth)}`
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}
