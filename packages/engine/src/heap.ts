/** Which of two comes first. */
export type Before<T> = (a: T, b: T) => boolean

/** A binary heap is an array whose first is before all others: `heap[0]`. */
export function pushToHeap<T>(heap: T[], added: T, before: Before<T>): void {
  let index = heap.push(added) - 1
  while (index > 0) {
    const above = (index - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || !before(added, parent)) break
    heap[index] = parent
    index = above
  }
  heap[index] = added
}

/** Takes the first out. */
export function popFromHeap<T>(heap: T[], before: Before<T>): T | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  let index = 0
  for (;;) {
    const left = 2 * index + 1
    const [a, b] = [heap[left], heap[left + 1]]
    if (a === undefined) break
    const [child, at] = b !== undefined && before(b, a) ? [b, left + 1] : [a, left]
    if (!before(child, last)) break
    heap[index] = child
    index = at
  }
  heap[index] = last
  return first
}
