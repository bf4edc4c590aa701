// A turn this long gives I/O a chance before more workflow code runs.
const longestTurnMs = 5
let turnStartMs = performance.now()
let turnEnds: Promise<void> | undefined

/**
 * Resolves when every microtask has run that is ready now: workflow code waits for nothing else, so it has then gone
 * as far as it can. Costs about a microsecond; the event loop gets a turn every few milliseconds.
 */
export function quiesce(): Promise<void> {
  if (performance.now() - turnStartMs > longestTurnMs) return nextTurn()
  // The tick queue is only served when the microtask queue is empty.
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)))
}

function nextTurn(): Promise<void> {
  turnEnds ??= new Promise((resolve) =>
    setImmediate(() => {
      turnStartMs = performance.now()
      turnEnds = undefined
      resolve()
    }),
  )
  return turnEnds
}
