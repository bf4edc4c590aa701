/** Dice of a run: the same sequence each time it is replayed, on both engines, with no event in its history. */
export type ReplayRandom = { random(): number; uuid(): string }

/** Pure arithmetic (sfc32 seeded from the run's id), because it also runs inside Temporal's sandbox. */
export function createReplayRandom(runId: string): ReplayRandom {
  const next = sfc32(hash32(runId, 1), hash32(runId, 2), hash32(runId, 3), hash32(runId, 4))
  const hex = () => next().toString(16).padStart(8, '0')
  return {
    random: () => next() / 4294967296,
    uuid: () => {
      const text = hex() + hex() + hex() + hex()
      const variant = ((Number.parseInt(text.charAt(16), 16) & 0x3) | 0x8).toString(16)
      return [
        text.slice(0, 8),
        text.slice(8, 12),
        `4${text.slice(13, 16)}`,
        `${variant}${text.slice(17, 20)}`,
        text.slice(20, 32),
      ].join('-')
    },
  }
}

function hash32(text: string, salt: number): number {
  let hash = 0x811c9dc5 ^ salt
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
    hash ^= hash >>> 13
  }
  return hash >>> 0
}

function sfc32(seedA: number, seedB: number, seedC: number, seedD: number): () => number {
  let [a, b, c, d] = [seedA, seedB, seedC, seedD]
  const next = () => {
    const sum = (a + b + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return sum >>> 0
  }
  // The first outputs still show the seed.
  for (let round = 0; round < 12; round++) next()
  return next
}
