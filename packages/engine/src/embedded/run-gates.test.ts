import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Admission, admissionOf, createRunGates } from './run-gates.ts'

const admission = (onConflict: Admission['onConflict'], limit = 1, key = 'deploy/eu'): Admission => ({
  key,
  limit,
  onConflict,
})

function open(isOpen = true) {
  const admitted: string[] = []
  const cancelled: string[] = []
  const gates = createRunGates({
    onAdmitted: (runId) => admitted.push(runId),
    cancel: (runId) => cancelled.push(runId),
  })
  if (isOpen) gates.open()
  return { gates, admitted, cancelled }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('runs wait in the order they came, each key for itself', async () => {
  const { gates, admitted } = open()
  const queue = admission('queue')
  expect(['a', 'b', 'c'].map((runId) => gates.enter(queue, runId))).toEqual(['admitted', 'queued', 'queued'])
  expect(gates.enter(admission('queue', 1, 'deploy/us'), 'd')).toBe('admitted')
  expect(gates.enter(queue, 'b')).toBe('queued')
  expect(gates.explain('c')).toEqual({ key: 'deploy/eu', limit: 1, holders: ['a'], ahead: 1 })
  gates.leave('a')
  await turn()
  expect(admitted).toEqual(['b'])
  expect(gates.enter(queue, 'b')).toBe('admitted')
  gates.leave('c')
  gates.leave('b')
  expect(gates.enter(queue, 'e')).toBe('admitted')
})

test('a workflow that refuses more refuses while it is full, and one that cancels the newest cancels it', () => {
  const { gates } = open()
  expect(gates.isFull(admission('reject'))).toBe(false)
  expect(gates.enter(admission('reject'), 'a')).toBe('admitted')
  expect(gates.isFull(admission('reject'))).toBe(true)
  expect(gates.enter(admission('reject'), 'b')).toBe('rejected')
  expect(gates.enter(admission('cancel_newest'), 'c')).toBe('cancelled')
  gates.leave('a')
  expect(gates.enter(admission('reject'), 'b')).toBe('admitted')
})

test('a run that ended while those under way were being read holds no place', async () => {
  const { gates, admitted } = open(false)
  const queue = admission('queue')
  gates.enter(queue, 'next')
  gates.leave('ended')
  gates.hold(queue, 'ended')
  gates.open()
  await turn()
  expect(admitted).toEqual(['next'])
})

test('a run that asks twice before the gates are open has one place, and the newer one is not cancelled for it', async () => {
  const { gates, cancelled } = open(false)
  const oldest = admission('cancel_oldest')
  for (const _ of [1, 2]) expect(gates.enter(oldest, 'a')).toBe('queued')
  gates.open()
  expect(gates.enter(oldest, 'a')).toBe('admitted')
  expect(gates.enter(oldest, 'b')).toBe('queued')
  await turn()
  expect(cancelled).toEqual(['a'])
})

test('the oldest is cancelled for a newer one, which begins when the oldest has ended', async () => {
  const { gates, admitted, cancelled } = open()
  const oldest = admission('cancel_oldest')
  expect(gates.enter(oldest, 'a')).toBe('admitted')
  expect(gates.enter(oldest, 'b')).toBe('queued')
  expect(gates.enter(oldest, 'c')).toBe('queued')
  await turn()
  expect([admitted, cancelled]).toEqual([[], ['a', 'b']])
  gates.leave('b')
  gates.leave('a')
  await turn()
  expect(admitted).toEqual(['c'])
})

test('before it is known who has a place nobody is let in, and then in the order of ids', async () => {
  const { gates, admitted } = open(false)
  const queue = admission('queue', 2)
  for (const runId of ['d', 'b', 'c']) expect(gates.enter(queue, runId)).toBe('queued')
  expect(gates.isFull(admission('reject'))).toBe(false)
  gates.hold(queue, 'a')
  gates.leave('d')
  gates.open()
  await turn()
  expect(admitted).toEqual(['b'])
  gates.leave('a')
  await turn()
  expect(admitted).toEqual(['b', 'c'])
})

test('the key comes from the input, and two workflows have different ones', () => {
  const concurrency = { key: (input: unknown) => String(input), limit: 0, onConflict: 'queue' } as const
  expect(admissionOf('deploy', concurrency, 'eu')).toEqual({
    key: 'deploy/eu',
    limit: 1,
    onConflict: 'queue',
  })
  expect(admissionOf('deploy', undefined, 'eu')).toBeUndefined()
  expect(admissionOf('build', { limit: 3, onConflict: 'reject' }, 'eu')).toMatchObject({
    key: 'build',
    limit: 3,
  })
})

test('whatever comes and goes, the limit is never passed and nobody waits beside a free place', async () => {
  const action = fc.record({ come: fc.boolean(), run: fc.nat(15), key: fc.nat(1) })
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const { gates, admitted } = open()
      const under = [new Set<string>(), new Set<string>()]
      const waiting = [new Set<string>(), new Set<string>()]
      for (const { come, run, key } of actions) {
        const runId = `${key} ${run}`
        const [holders, queued] = [under[key] ?? new Set(), waiting[key] ?? new Set()]
        if (come) {
          const entered = gates.enter(admission('queue', 2, `k/${key}`), runId)
          const place = entered === 'admitted' ? holders : queued
          place.add(runId)
        } else {
          holders.delete(runId)
          queued.delete(runId)
          gates.leave(runId)
          await turn()
          for (const id of admitted.splice(0)) {
            queued.delete(id)
            holders.add(id)
          }
        }
        expect(holders.size).toBeLessThanOrEqual(2)
        if (queued.size > 0) expect(holders.size).toBe(2)
      }
    }),
    { numRuns: 60 },
  )
})
