/** What is read of an event: a fact of a run, or any other, which says nothing about steps. */
type Fact = { type: string; data: { [name: string]: unknown } }

const begins = new Set(['step.scheduled', 'timer.started'])
const ends = new Set(['step.completed', 'step.cancelled', 'timer.fired', 'timer.cancelled'])

/**
 * Which steps each step came after, by the numbers of their commands: those that ended since steps were last
 * scheduled, for it is their end that moved the workflow on. Steps scheduled together have the same parents.
 */
export function stepParents(events: readonly Fact[]): Map<number, readonly number[]> {
  const parents = new Map<number, readonly number[]>()
  let latest: readonly number[] = []
  let ended: number[] = []
  for (const { type, data } of events) {
    const { command } = data
    if (typeof command !== 'number') continue
    if (begins.has(type)) {
      if (ended.length > 0) {
        latest = ended
        ended = []
      }
      parents.set(command, latest)
    }
    // A failure with a next attempt is not the end of a step.
    if (ends.has(type) || (type === 'step.failed' && data.retry_at === undefined)) ended.push(command)
  }
  return parents
}
