import { expect, test } from 'vitest'
import { type Player, Turns } from './turns.ts'

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A player with so many things to take, which writes down what it does. */
function player(name: string, things: number, log: string[], wakes = 0): Player {
  let left = things
  let toWake = wakes
  return {
    take: () => {
      left -= 1
      log.push(`${name} takes`)
      queueMicrotask(() => queueMicrotask(() => log.push(`${name} is quiet`)))
    },
    wake: () => {
      toWake -= 1
      return toWake >= 0
    },
    settle: () => {
      log.push(`${name} settles`)
      return left > 0
    },
    fail: (error) => log.push(`${name} fails: ${String(error)}`),
  }
}

test('all of a round take, are quiet, and settle together', async () => {
  const log: string[] = []
  const turns = new Turns(() => log.push('round'))
  const [a, b] = [player('a', 2, log), player('b', 1, log)]
  turns.queue(a)
  turns.queue(b)
  turns.queue(a)
  await settled()
  expect(log).toEqual([
    ...['a takes', 'b takes', 'a is quiet', 'b is quiet', 'a settles', 'b settles', 'round'],
    ...['a takes', 'a is quiet', 'a settles', 'round'],
  ])
})

test('a round goes on waiting as long as somebody was woken', async () => {
  const log: string[] = []
  const turns = new Turns(() => log.push('round'))
  let woken = 0
  const condition = player('a', 1, log, 3)
  turns.queue({
    ...condition,
    wake: () => {
      const isWoken = condition.wake()
      if (isWoken) woken += 1
      return isWoken
    },
  })
  await settled()
  expect(woken).toBe(3)
  expect(log.at(-1)).toBe('round')
})

test('a player that fails is told, and the others go on', async () => {
  const log: string[] = []
  const turns = new Turns(() => {})
  const failing: Player = {
    ...player('bad', 1, log),
    take: () => {
      throw new Error('fault')
    },
  }
  turns.queue(failing)
  turns.queue(player('good', 1, log))
  await settled()
  expect(log).toContain('bad fails: Error: fault')
  expect(log).toContain('good settles')
})

test('one with much to do gives way to the others, and the event loop gets its turns', async () => {
  const log: string[] = []
  let nowMs = 0
  let loopTurns = 0
  const nextTurn = async () => {
    loopTurns += 1
  }
  const turns = new Turns(() => {}, { nowMs: () => nowMs++, nextTurn })
  turns.queue(player('long', 40, log))
  turns.queue(player('short', 2, log))
  await settled()
  const shortEnds = log.lastIndexOf('short settles')
  expect(log.slice(0, shortEnds).filter((line) => line === 'long takes').length).toBeLessThanOrEqual(2)
  expect(loopTurns).toBeGreaterThanOrEqual(7)
})
