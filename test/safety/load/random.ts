export type Random = {
  /** At least `from`, less than `to`. */
  integer(from: number, to: number): number
  chance(probability: number): boolean
}

/** The same numbers for the same seed (mulberry32), so that what a seed showed can be looked at again. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    integer: (from, to) => from + Math.floor(next() * (to - from)),
    chance: (probability) => next() < probability,
  }
}
