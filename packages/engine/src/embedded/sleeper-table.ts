import { idOf, keyOf, type RunKey } from './run-key.ts'

const leastCapacity = 1024
const nowhere = -1

/** Runs and when each is due: 32 bytes and two places in a hash for one, because there may be a million. */
export class SleeperTable {
  #size = 0
  #capacity = leastCapacity
  /** Four for each record: its id. */
  #words = new Uint32Array(4 * leastCapacity)
  #dueMs = new Float64Array(leastCapacity)
  /** Where a record is in the heap. */
  #places = new Int32Array(leastCapacity)
  /** Records by the time at which they are due; those that never are, are not in it. */
  #heap = new Int32Array(leastCapacity)
  #heapSize = 0
  /** Records by the hash of their ids, each plus one; 0 is free. */
  #slots = new Int32Array(2 * leastCapacity)

  get size(): number {
    return this.#size
  }

  /** When the first is due; undefined when none ever is. */
  get firstMs(): number | undefined {
    return this.#heapSize === 0 ? undefined : this.#due(this.#at(0))
  }

  has(runId: string): boolean {
    const key = keyOf(runId)
    return key !== undefined && this.#find(key) !== nowhere
  }

  /** False for an id that is no UUID: it cannot be kept here. */
  set(runId: string, dueMs: number): boolean {
    const key = keyOf(runId)
    if (key === undefined) return false
    let record = this.#find(key)
    if (record === nowhere) record = this.#append(key)
    this.#setDue(record, dueMs)
    return true
  }

  delete(runId: string): void {
    const key = keyOf(runId)
    const record = key === undefined ? nowhere : this.#find(key)
    if (record === nowhere) return
    this.#setDue(record, Infinity)
    this.#freeSlot(this.#slotOf(record))
    this.#size -= 1
    if (record !== this.#size) this.#move(this.#size, record)
    if (this.#capacity > leastCapacity && this.#size < this.#capacity / 8) this.#resize(this.#capacity / 2)
  }

  /** The first, which then never is due, if its time has come. */
  takeDue(untilMs: number): string | undefined {
    if ((this.firstMs ?? Infinity) > untilMs) return undefined
    const record = this.#at(0)
    this.#setDue(record, Infinity)
    return idOf(this.#keyAt(record))
  }

  clear(): void {
    this.#size = 0
    this.#heapSize = 0
    this.#resize(leastCapacity)
  }

  #append(key: RunKey): number {
    if (this.#size === this.#capacity) this.#resize(2 * this.#capacity)
    const record = this.#size
    this.#size += 1
    this.#words.set(key, 4 * record)
    this.#places[record] = nowhere
    this.#dueMs[record] = Infinity
    this.#occupy(record)
    return record
  }

  /** Fills the hole that a deletion left. */
  #move(from: number, to: number): void {
    this.#slots[this.#slotOf(from)] = to + 1
    this.#words.copyWithin(4 * to, 4 * from, 4 * from + 4)
    this.#dueMs[to] = this.#due(from)
    const place = this.#places[from] ?? nowhere
    this.#places[to] = place
    if (place !== nowhere) this.#heap[place] = to
  }

  #resize(capacity: number): void {
    const [words, dueMs, places, heap] = [this.#words, this.#dueMs, this.#places, this.#heap]
    this.#capacity = capacity
    this.#words = new Uint32Array(4 * capacity)
    this.#dueMs = new Float64Array(capacity)
    this.#places = new Int32Array(capacity)
    this.#heap = new Int32Array(capacity)
    this.#slots = new Int32Array(2 * capacity)
    this.#words.set(words.subarray(0, 4 * this.#size))
    this.#dueMs.set(dueMs.subarray(0, this.#size))
    this.#places.set(places.subarray(0, this.#size))
    this.#heap.set(heap.subarray(0, this.#heapSize))
    for (let record = 0; record < this.#size; record++) this.#occupy(record)
  }

  #keyAt(record: number): RunKey {
    const at = 4 * record
    const words = this.#words
    return [words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0]
  }

  /** The end of an id is random. */
  #home(third: number, fourth: number): number {
    return ((Math.imul(third, 0x9e3779b1) ^ fourth) >>> 0) & (2 * this.#capacity - 1)
  }

  #homeOf(record: number): number {
    return this.#home(this.#words[4 * record + 2] ?? 0, this.#words[4 * record + 3] ?? 0)
  }

  #find([first, second, third, fourth]: RunKey): number {
    const words = this.#words
    for (let slot = this.#home(third, fourth); ; slot = this.#after(slot)) {
      const record = (this.#slots[slot] ?? 0) - 1
      if (record < 0) return nowhere
      const at = 4 * record
      const isHalf = words[at + 3] === fourth && words[at + 2] === third
      if (isHalf && words[at + 1] === second && words[at] === first) return record
    }
  }

  #slotOf(record: number): number {
    let slot = this.#homeOf(record)
    while (this.#slots[slot] !== record + 1) slot = this.#after(slot)
    return slot
  }

  #occupy(record: number): void {
    let slot = this.#homeOf(record)
    while (this.#slots[slot] !== 0) slot = this.#after(slot)
    this.#slots[slot] = record + 1
  }

  /** Whoever stands behind it only because it was taken moves up, so that no search ends too early. */
  #freeSlot(freed: number): void {
    const mask = 2 * this.#capacity - 1
    let free = freed
    this.#slots[free] = 0
    for (let slot = this.#after(free); this.#slots[slot] !== 0; slot = this.#after(slot)) {
      const record = (this.#slots[slot] ?? 0) - 1
      const isBehind = ((slot - this.#homeOf(record)) & mask) >= ((slot - free) & mask)
      if (!isBehind) continue
      this.#slots[free] = record + 1
      this.#slots[slot] = 0
      free = slot
    }
  }

  #after(slot: number): number {
    return (slot + 1) & (2 * this.#capacity - 1)
  }

  #due(record: number): number {
    return this.#dueMs[record] ?? Infinity
  }

  #at(place: number): number {
    return this.#heap[place] ?? nowhere
  }

  #setDue(record: number, dueMs: number): void {
    let place = this.#places[record] ?? nowhere
    this.#dueMs[record] = dueMs
    if (dueMs === Infinity) {
      if (place !== nowhere) this.#leaveHeap(record, place)
      return
    }
    if (place === nowhere) place = this.#heapSize++
    this.#down(this.#up(place, record), record)
  }

  #leaveHeap(record: number, place: number): void {
    this.#places[record] = nowhere
    this.#heapSize -= 1
    const last = this.#at(this.#heapSize)
    if (last !== record) this.#down(this.#up(place, last), last)
  }

  #put(place: number, record: number): void {
    this.#heap[place] = record
    this.#places[record] = place
  }

  /** Puts the record where nobody above it is due later; answers where. */
  #up(from: number, record: number): number {
    const dueMs = this.#due(record)
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      if (this.#due(this.#at(above)) <= dueMs) break
      this.#put(place, this.#at(above))
      place = above
    }
    this.#put(place, record)
    return place
  }

  #down(from: number, record: number): void {
    const dueMs = this.#due(record)
    let place = from
    for (;;) {
      const left = 2 * place + 1
      if (left >= this.#heapSize) break
      const right = left + 1
      const isRight = right < this.#heapSize && this.#due(this.#at(right)) < this.#due(this.#at(left))
      const child = isRight ? right : left
      if (this.#due(this.#at(child)) >= dueMs) break
      this.#put(place, this.#at(child))
      place = child
    }
    this.#put(place, record)
  }
}
