/** Something to which things happen one after the other, and whose workflow code runs in turns shared by many. */
export type Player = {
  /** Records the next thing that happened and hands it to the workflow code. */
  take(): void
  /** Looks at conditions; true when code was woken, so that everybody waits again until it is quiet. */
  wake(): boolean
  /** The code is quiet: what it asked for becomes facts. True when more has happened meanwhile. */
  settle(): boolean
  /** An exception out of the three above: it can only be a fault of ours. */
  fail(error: unknown): void
}

/** How the event loop is shared; replaced where time is simulated. */
export type Loop = {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Resolves after a turn of the event loop. */
  readonly nextTurn: () => Promise<void>
}

const machineLoop: Loop = {
  nowMs: () => performance.now(),
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
}

// A stretch this long gives I/O a chance before more workflow code runs.
const longestStretchMs = 4
// Small, so that the store has the first round's write while the next ones take their turns.
const maxPlayersPerRound = 64

/**
 * Plays many runs in rounds: each of a round's players takes one thing, then all of them wait once until every
 * microtask that is ready has run, because workflow code waits for nothing else. So the wait, the write that follows
 * and the look at the clock are shared, and a run with much to do does not hold up the others.
 */
export class Turns {
  readonly #afterRound: () => void
  readonly #loop: Loop
  /** In order: those of `#next` from `#taken` on, then those of `#ready`. A million may wait, so none is moved. */
  #next: readonly Player[] = []
  #taken = 0
  #ready: Player[] = []
  readonly #queued = new Set<Player>()
  #isPlaying = false
  #stretchStartMs = 0

  constructor(afterRound: () => void, loop: Loop = machineLoop) {
    this.#afterRound = afterRound
    this.#loop = loop
  }

  /** Gives the player a place in the next round, unless it has one. */
  queue(player: Player): void {
    if (this.#queued.has(player)) return
    this.#queued.add(player)
    this.#ready.push(player)
    if (this.#isPlaying) return
    this.#isPlaying = true
    queueMicrotask(() => void this.#play())
  }

  async #play(): Promise<void> {
    this.#stretchStartMs = this.#loop.nowMs()
    for (let round = this.#nextRound(); round.length > 0; round = this.#nextRound()) {
      for (const player of round) guarded(player, takeOne)
      await this.#quiet()
      while (wakeAll(round)) await this.#quiet()
      for (const player of round) if (guarded(player, settleOne)) this.queue(player)
      this.#afterRound()
    }
    this.#isPlaying = false
  }

  #nextRound(): Player[] {
    const round: Player[] = []
    while (round.length < maxPlayersPerRound) {
      const player = this.#next[this.#taken]
      if (player !== undefined) {
        this.#taken += 1
        this.#queued.delete(player)
        round.push(player)
        continue
      }
      this.#next = this.#ready
      this.#ready = []
      this.#taken = 0
      if (this.#next.length === 0) break
    }
    return round
  }

  /** Resolves when every microtask has run that is ready now; about a microsecond, or a turn of the event loop. */
  async #quiet(): Promise<void> {
    // The tick queue is only served when the microtask queue is empty.
    await new Promise<void>((resolve) => queueMicrotask(() => process.nextTick(resolve)))
    if (this.#loop.nowMs() - this.#stretchStartMs <= longestStretchMs) return
    await this.#loop.nextTurn()
    this.#stretchStartMs = this.#loop.nowMs()
  }
}

const takeOne = (player: Player) => {
  player.take()
  return false
}
const settleOne = (player: Player) => player.settle()
const wakeOne = (player: Player) => player.wake()

function wakeAll(round: readonly Player[]): boolean {
  let woken = false
  for (const player of round) if (guarded(player, wakeOne)) woken = true
  return woken
}

function guarded(player: Player, act: (player: Player) => boolean): boolean {
  try {
    return act(player)
  } catch (error) {
    player.fail(error)
    return false
  }
}
