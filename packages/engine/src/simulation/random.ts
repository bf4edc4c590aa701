/** Numbers that follow from a seed and from nothing else. */
export type Random = {
  /** In [0, 1). */
  next(): number
  /** An integer from `from` to `to`, both included. */
  int(from: number, to: number): number
  /** True in `share` of all cases. */
  chance(share: number): boolean
  pick<T>(from: readonly [T, ...T[]]): T
  /** Mostly small, seldom near `to`: how long things take. */
  small(from: number, to: number): number
  /** Another stream, which does not change when more is drawn from this one. */
  fork(name: string): Random
}

/** sfc32, seeded by a hash of the seed: neighbouring seeds have nothing in common. */
export function createRandom(seed: string): Random {
  let [a, b, c, d] = [hashText(`${seed}/a`), hashText(`${seed}/b`), hashText(`${seed}/c`), 1]
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4_294_967_296
  }
  for (let round = 0; round < 12; round++) next()
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    int,
    chance: (share) => next() < share,
    pick: (from) => from[int(0, from.length - 1)] ?? from[0],
    small: (from, to) => from + Math.floor((to - from) * next() ** 4),
    fork: (name) => createRandom(`${seed}/${name}`),
  }
}

/** FNV-1a with a last mix; 32 bits, signed. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}
