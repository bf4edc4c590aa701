import { availableParallelism } from 'node:os'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSlots, type Demand, type SlotLimits } from './slots.ts'

const never = () => {}

test('runs take turns, whatever number of steps each has waiting', () => {
  const slots = createSlots(1, () => 7)
  const order: string[] = []
  expect(slots.take('a', never)).toBe(true)
  for (const run of ['a', 'a', 'a', 'b', 'c']) slots.take(run, () => order.push(run))
  expect(slots.waitingSinceMs).toBe(7)
  for (let turn = 0; turn < 5; turn++) slots.release()
  expect(order).toEqual(['a', 'b', 'c', 'a', 'a'])
  expect([slots.used, slots.waiting]).toEqual([1, 0])
})

test('a run that is forgotten gets no slot', () => {
  const slots = createSlots(1, () => 7)
  slots.take('a', never)
  let granted = false
  slots.take('b', () => {
    granted = true
  })
  slots.forget('b')
  slots.release()
  expect([granted, slots.used, slots.waiting]).toEqual([false, 0, 0])
})

test('closed slots grant nothing', () => {
  const slots = createSlots(2, () => 7)
  slots.take('a', never)
  slots.close()
  let granted = false
  const grant = () => {
    granted = true
  }
  expect(slots.take('b', grant)).toBe(false)
  slots.release()
  expect(granted).toBe(false)
})

test('each queue has its own limit, and inline attempts take no slot of any', () => {
  const slots = createSlots(1, () => 0, { queues: { gpu: 2 } })
  const [gpu, web, inline]: Demand[] = [{ queue: 'gpu' }, { queue: 'web' }, { mode: 'inline', queue: 'gpu' }]
  const taken = [undefined, undefined, gpu, gpu, gpu, web, web, inline, inline].map((demand) =>
    slots.take('a', never, demand),
  )
  expect(taken).toEqual([true, false, true, true, false, true, false, true, true])
  expect(slots.explain('a', gpu)).toEqual({ kind: 'queue', name: 'gpu', limit: 2, used: 2, waiting: 1 })
})

test('many steps wait for others at once, and those that keep a core busy are two for each core', () => {
  const slots = createSlots(undefined, () => 0)
  const limitOf = (queue?: string) => {
    const wait = slots.explain('a', { queue })
    return wait.kind === 'queue' && wait.limit
  }
  expect([limitOf(), limitOf('any'), limitOf('cpu')]).toEqual([256, 256, 2 * availableParallelism()])
  const configured = createSlots(9, () => 0, { queues: { cpu: 3 } })
  expect(configured.explain('a', { queue: 'cpu' })).toMatchObject({ limit: 3 })
})

test('a concurrency key is held by one attempt over all queues, and says by whom', () => {
  const slots = createSlots(9, () => 0, { keys: { api: 2 } })
  const order: string[] = []
  const repository = { concurrencyKey: 'repository:7' }
  expect(slots.take('a', never, repository)).toBe(true)
  expect(slots.take('b', () => order.push('b'), { ...repository, queue: 'other' })).toBe(false)
  expect(slots.take('c', () => order.push('c'), repository)).toBe(false)
  expect(slots.explain('b', repository)).toMatchObject({ kind: 'key', limit: 1, holders: ['a'], waiting: 2 })
  expect(slots.take('d', never, { concurrencyKey: 'repository:8' })).toBe(true)
  const api = ['api:1', 'api:1', 'api:1'].map((concurrencyKey) => slots.take('e', never, { concurrencyKey }))
  expect(api).toEqual([true, true, false])
  slots.release('a', repository)
  expect(order).toEqual(['b'])
  slots.release('b', { ...repository, queue: 'other' })
  expect(order).toEqual(['b', 'c'])
})

test('a key that a forgotten run had in reserve is free for others', () => {
  const slots = createSlots(1, () => 0)
  slots.take('busy', never)
  const keyed = { concurrencyKey: 'k' }
  const order: string[] = []
  slots.take('a', () => order.push('a'), keyed)
  slots.take('b', () => order.push('b'), keyed)
  slots.forget('a')
  slots.release('busy')
  expect(order).toEqual(['b'])
  slots.release('b', keyed)
  expect(slots.take('c', never, keyed)).toBe(true)
})

test('a higher priority goes first, and a lower one has its turn however many of the higher come', () => {
  const slots = createSlots(1, () => 0)
  const order: string[] = []
  slots.take('busy', never)
  slots.take('low', () => order.push('low'), { priority: 5 })
  let urgent = 0
  const comeUrgent = () => {
    urgent += 1
    slots.take(`urgent ${urgent}`, () => order.push('urgent'), { priority: 1 })
  }
  comeUrgent()
  comeUrgent()
  for (let turn = 0; turn < 600 && !order.includes('low'); turn++) {
    comeUrgent()
    slots.release('busy')
  }
  expect(order[0]).toBe('urgent')
  expect(order).toContain('low')
})

test('a hundred thousand who wait are let through in time that grows with their number', () => {
  const slots = createSlots(1, () => 0)
  const count = 100_000
  slots.take('busy', never)
  let granted = 0
  const startedMs = process.cpuUsage().user / 1000
  for (let index = 0; index < count; index++) slots.take(`run ${index % 5000}`, () => granted++)
  for (let index = 0; index < 1000; index++) slots.forget(`run ${index}`)
  while (slots.used > 0) slots.release()
  expect([granted, slots.waiting, slots.used]).toEqual([80_000, 0, 0])
  // About 100 ms; with anything quadratic it would be minutes.
  expect(process.cpuUsage().user / 1000 - startedMs).toBeLessThan(5000)
})

type Action =
  | { do: 'take'; run: string; demand: Demand | undefined }
  | { do: 'release'; index: number }
  | { do: 'forget'; run: string }

const run = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const demand = fc.option(
  fc.record({
    mode: fc.constantFrom('queue', 'inline', undefined),
    queue: fc.constantFrom(undefined, 'x', 'y'),
    concurrencyKey: fc.constantFrom(undefined, undefined, 'k', 'two:1'),
    priority: fc.constantFrom(undefined, 1, 3, 5),
  } as const),
  { nil: undefined },
)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('take' as const), run, demand }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), index: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), run }) },
)
const limits: SlotLimits = { queues: { x: 1 }, keys: { two: 2 }, inline: 3 }

type Held = { run: string; demand: Demand | undefined }
const queueOf = ({ demand: wanted }: Held) =>
  wanted?.mode === 'inline' ? 'inline' : (wanted?.queue ?? 'default')

describe('whatever is taken, released and forgotten', () => {
  const play = (actions: readonly Action[], check: (held: readonly Held[]) => void) => {
    const slots = createSlots(2, () => 0, limits)
    const held: Held[] = []
    const waiting = new Set<Held>()
    for (const next of actions) {
      if (next.do === 'take') {
        const mine = { run: next.run, demand: next.demand }
        waiting.add(mine)
        const granted = () => {
          waiting.delete(mine)
          held.push(mine)
        }
        if (slots.take(next.run, granted, next.demand)) granted()
      } else if (next.do === 'release') {
        const [one] = held.splice(next.index % Math.max(1, held.length), 1)
        if (one !== undefined) slots.release(one.run, one.demand)
      } else {
        for (const one of waiting) if (one.run === next.run) waiting.delete(one)
        slots.forget(next.run)
      }
      expect([slots.used, slots.waiting]).toEqual([held.length, waiting.size])
      check(held)
    }
    return { slots, held, waiting }
  }

  test('no limit is ever passed', () => {
    const limitOf: Record<string, number> = { default: 2, inline: 3, x: 1, y: 2, k: 1, 'two:1': 2 }
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        play(actions, (held) => {
          const used = new Map<string, number>()
          for (const one of held) {
            for (const name of [queueOf(one), one.demand?.concurrencyKey ?? '']) {
              used.set(name, (used.get(name) ?? 0) + 1)
            }
          }
          for (const [name, count] of used) {
            if (name !== '') expect(count, name).toBeLessThanOrEqual(limitOf[name] ?? 0)
          }
        })
      }),
      { numRuns: 150 },
    )
  })

  test('everybody who still waits has a turn once the others are done, and nothing is left', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const { slots, held, waiting } = play(actions, () => {})
        for (let one = held.shift(); one !== undefined; one = held.shift()) slots.release(one.run, one.demand)
        expect([waiting.size, slots.used, slots.waiting]).toEqual([0, 0, 0])
        expect(slots.queues().every(({ used, waiting: left }) => used === 0 && left === 0)).toBe(true)
        expect(slots.take('late', never, { concurrencyKey: 'k' })).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})
