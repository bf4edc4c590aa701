import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, expect, test } from 'vitest'
import { type EngineRig, ended, owner, plain, record, submit, until, waiting } from '../suite/rig.ts'
import type { StepsByWorkflow } from './embedded-engine.ts'
import { createEmbeddedRig, type RigOptions } from './embedded-rig.ts'
import { RunFaults } from './run-faults.ts'

let rig: EngineRig | undefined
afterEach(async () => {
  await rig?.stop()
  rig = undefined
})

async function open(change: RigOptions['change'], store?: Store) {
  const opened = store ?? (await openStore({ dataDir: ':memory:' }))
  rig = await createEmbeddedRig({ store: opened, steps: plain, change: { ...change } })
  return rig
}

/** Steps at which the engine itself fails so many times. */
function faulty(times: number): StepsByWorkflow {
  let left = times
  return new Proxy(
    { sequence: plain, sleeping: plain },
    {
      getOwnPropertyDescriptor: (steps, name) => {
        if (name === 'sequence') left -= 1
        if (name === 'sequence' && left >= 0) throw new Error('a fault of the engine')
        return Reflect.getOwnPropertyDescriptor(steps, name)
      },
    },
  )
}

test('a run whose first turn met a fault of the engine is read again, and ends', async () => {
  const rig = await open({ steps: faulty(1) })
  const runId = await submit(rig, 'sequence', 'in')
  expect((await ended(rig, runId)).status).toBe('completed')
})

test('a run that meets a fault again and again is blocked, can be cancelled, and nobody else notices', async () => {
  const rig = await open({ steps: faulty(1000) })
  const runId = await submit(rig, 'sequence', 'in')
  const { reason_detail: detail } = await waiting(rig, runId, 'blocked')
  expect(detail).toContain(
    'fault with this run 5 times in a row, the last time: Error: a fault of the engine',
  )
  const other = await submit(rig, 'sleeping', { ms: 1 })
  expect((await ended(rig, other)).status).toBe('completed')
  await rig.engine.cancel(runId, 'enough', owner)
  expect((await ended(rig, runId)).status).toBe('cancelled')
}, 15_000)

test('a run that the server was started to leave out is blocked for that and cancelled, and moves at the next start', async () => {
  const leaveOut: string[] = []
  const rig = await open({ leaveOut })
  const [left, cancelled] = [
    await submit(rig, 'collecting', { count: 1 }),
    await submit(rig, 'collecting', { count: 1 }),
  ]
  await waiting(rig, left, 'signal')
  await waiting(rig, cancelled, 'signal')
  leaveOut.push(left, cancelled)
  await rig.restart()
  await rig.engine.signal(left, 'add', 'kept', owner)
  expect((await waiting(rig, left, 'blocked')).reason_detail).toContain('started to leave this run out')
  await rig.engine.cancel(cancelled, 'enough', owner)
  expect((await ended(rig, cancelled)).status).toBe('cancelled')
  leaveOut.length = 0
  await rig.restart()
  expect((await ended(rig, left)).result).toEqual({ met: true, items: ['kept'] })
})

test('what one run says and cannot be encoded keeps no other from being written', async () => {
  const inner = await openStore({ dataDir: ':memory:' })
  const victims = new Set<string>()
  const write: Store['write'] = (command) => {
    if ('appends' in command && command.appends.some(({ runId }) => victims.has(runId)))
      return Promise.reject(new TypeError('Do not know how to serialize a BigInt'))
    return inner.write(command)
  }
  const rig = await open({}, { ...inner, write })
  const victim = await submit(rig, 'collecting', { count: 1 })
  const others = await Promise.all(Array.from({ length: 20 }, () => submit(rig, 'collecting', { count: 1 })))
  await until(
    () => Promise.all([victim, ...others].map((id) => record(rig, id))),
    (runs) => runs.every(({ reason }) => reason === 'signal'),
  )
  victims.add(victim)
  const told = [victim, ...others].map((id) => rig.engine.signal(id, 'add', 1, owner))
  await Promise.all(told.slice(1))
  for (const id of others) expect((await ended(rig, id)).status).toBe('completed')
  victims.clear()
  await told[0]
})

test('faults that are far apart do not count together', () => {
  let nowMs = 0
  const faults = new RunFaults({ nowMs: () => nowMs })
  for (let count = 0; count < 20; count++) {
    nowMs += 60_000
    faults.note('a', new Error('now and then'))
  }
  expect(faults.blocks('a')).toBeUndefined()
  for (let count = 1; count < 5; count++) faults.note('a', Object.create(null))
  expect(faults.blocks('a')).toContain('5 times')
  faults.forget('a')
  expect(faults.blocks('a')).toBeUndefined()
})
