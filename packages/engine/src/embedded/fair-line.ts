import { popFromHeap, pushToHeap } from '../heap.ts'

/** One who waits in a line. Lines stamp `tag` and `order`; everything else is the caller's. */
export type InLine = {
  readonly owner: Owner
  /** 1 (first) to 5. */
  readonly priority: number
  tag: number
  order: number
}

/** Whose waiters take turns with those of others. Dead: its waiters are passed over. */
export type Owner = { dead: boolean }

// A level of priority is worth three turns: 1 goes before 2 three times, and then 2 has its turn however many 1 come.
const turnsPerLevel = 3
const costs = [0, 1, 2, 3, 4].map((level) => turnsPerLevel ** level)
const levelOf = (priority: number) => Math.min(4, Math.max(0, Math.round(priority) - 1))

/**
 * A line in which owners take turns and priorities weigh (start-time fair queueing): each waiter is stamped with the
 * virtual time of its turn when it comes, so nothing that comes later can push it back without end. Joining and
 * leaving cost O(log n).
 */
export class FairLine<W extends InLine> {
  readonly #heap: W[] = []
  /** Tag of the last waiter of each owner and priority that is still in line. */
  readonly #last = new Map<Owner, number[]>()
  #nowTag = 0
  #order = 0

  /** Waiters in line, those of dead owners that were not swept out yet included. */
  get length(): number {
    return this.#heap.length
  }

  push(waiter: W): void {
    const { owner, priority } = waiter
    let tags = this.#last.get(owner)
    if (tags === undefined) {
      tags = [0, 0, 0, 0, 0]
      this.#last.set(owner, tags)
    }
    const level = levelOf(priority)
    waiter.tag = Math.max(this.#nowTag, tags[level] ?? 0) + (costs[level] ?? 1)
    waiter.order = this.#order++
    tags[level] = waiter.tag
    pushToHeap(this.#heap, waiter, before)
  }

  [Symbol.iterator](): Iterator<W> {
    return this.#heap.values()
  }

  /** Who has its turn now, without taking it. */
  get first(): W | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (!first.owner.dead) return first
      this.#removeFirst()
    }
    return undefined
  }

  shift(): W | undefined {
    const { first } = this
    if (first === undefined) return undefined
    this.#removeFirst()
    this.#nowTag = first.tag
    // Nobody of this owner is in line any more, or what is has later tags: in both cases time has caught up with this one.
    const tags = this.#last.get(first.owner)
    if (tags?.every((tag) => tag <= this.#nowTag)) this.#last.delete(first.owner)
    return first
  }

  /** Removes the waiters of dead owners. O(n). */
  sweep(): void {
    const kept = this.#heap.filter((waiter) => !waiter.owner.dead)
    // A sorted array is a heap.
    kept.sort((a, b) => (before(a, b) ? -1 : 1))
    this.#heap.length = 0
    for (const waiter of kept) this.#heap.push(waiter)
    for (const owner of this.#last.keys()) if (owner.dead) this.#last.delete(owner)
  }

  #removeFirst(): void {
    const first = popFromHeap(this.#heap, before)
    if (first?.owner.dead) this.#last.delete(first.owner)
  }
}

const before = (a: InLine, b: InLine) => a.tag < b.tag || (a.tag === b.tag && a.order < b.order)
