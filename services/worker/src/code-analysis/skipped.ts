import type { SkippedItem } from '@kyros/workflows/code-analysis/steps'
import { compareText } from './file-path.ts'

const maxExamples = 3
const maxItems = 60

/** Counts what was not looked at, by reason, with a few examples. */
export class SkippedTally {
  readonly #items = new Map<string, { what: string; why: string; count: number; examples: string[] }>()

  add(what: string, why: string, example?: string, count = 1): void {
    const key = `${what}\n${why}`
    const item = this.#items.get(key) ?? { what, why, count: 0, examples: [] }
    item.count += count
    if (example !== undefined) {
      // The first in order, not the first to come: reports must not depend on timing.
      item.examples = [...item.examples, example.slice(0, 200)].sort(compareText).slice(0, maxExamples)
    }
    this.#items.set(key, item)
  }

  list(): SkippedItem[] {
    return [...this.#items.values()]
      .sort((left, right) => compareText(left.what, right.what) || compareText(left.why, right.why))
      .slice(0, maxItems)
      .map(({ what, why, count, examples }) => ({
        what:
          examples.length === 0
            ? what
            : `${what} (${examples.join(', ')}${count > examples.length ? ', …' : ''})`,
        why,
        count,
      }))
  }
}
