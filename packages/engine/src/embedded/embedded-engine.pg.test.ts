import { openStore } from '@kyros/store/open-store'
import { openSession } from '@kyros/store/session'
import { ask } from '@kyros/store/statement'
import { createDatabase, dropDatabase } from '@kyros/store/suite/postgres-database'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { testEngine } from '../engine.suite.ts'
import {
  type EngineRig,
  ended,
  eventTypes,
  gate,
  owner,
  plain,
  record,
  submit,
  until,
  untilAborted,
  waiting,
} from '../suite/rig.ts'
import type { StepFunction } from './attempt.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

// One database for the whole suite, as one server has: making one costs more than most tests.
let shared: Promise<string> | undefined

testEngine({
  name: 'embedded engine on PostgreSQL',
  create: async (options) => {
    shared ??= createDatabase()
    const databaseUrl = await shared
    return createEmbeddedRig({ ...options, store: await openStore({ dataDir: '', databaseUrl }) })
  },
})

afterAll(async () => {
  if (shared !== undefined) await dropDatabase(await shared)
})

describe('two processes on one PostgreSQL', () => {
  const rigs: EngineRig[] = []
  let databaseUrl: string

  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.stop().catch(() => {})
    await dropDatabase(databaseUrl)
  })

  const join = async (steps: { [step: string]: StepFunction } = {}) => {
    const store = await openStore({ dataDir: '', databaseUrl })
    const rig = await createEmbeddedRig({ store, steps: { ...plain, ...steps } })
    rigs.push(rig)
    return rig
  }

  const holds = (rig: EngineRig) => rig.engine.health().details.holds_lease === true

  const pair = async (steps: { [step: string]: StepFunction } = {}) => {
    databaseUrl = await createDatabase()
    const holder = await join(steps)
    await until(async () => holds(holder), Boolean)
    return { holder, other: await join(steps) }
  }

  test('what the process without the lease accepts is run by the holder', async () => {
    const { holder, other } = await pair()
    const runId = await submit(other, 'sequence', 5)
    expect((await ended(other, runId)).result).toEqual([5, 5, 5])
    expect([holds(holder), holds(other)]).toEqual([true, false])
    expect((await other.engine.why(runId)).status).toBe('completed')
  })

  test('an accepted run is finished although the process that took it fails after its commit', async () => {
    const { holder, other } = await pair()
    const write = other.store.write
    other.store.write = async (command) => {
      if (command.kind === 'put_inbox') throw new Error('cut off')
      return write(command)
    }
    const runId = await submit(other, 'sequence', 5)
    expect((await ended(holder, runId)).result).toEqual([5, 5, 5])
  })

  test('signals and cancellations reach a run through the other process', async () => {
    const { other } = await pair()
    const collecting = await submit(other, 'collecting', { count: 2 })
    const sleeping = await submit(other, 'sleeping', { ms: 60_000 })
    await waiting(other, collecting, 'signal')
    await other.engine.signal(collecting, 'add', 'a', owner)
    await other.engine.signal(collecting, 'add', 'b', owner)
    expect((await ended(other, collecting)).result).toEqual({ met: true, items: ['a', 'b'] })
    await waiting(other, sleeping, 'timer')
    await other.engine.cancel(sleeping, 'enough', owner)
    expect((await ended(other, sleeping)).status).toBe('cancelled')
    await expect(other.engine.cancel(sleeping, 'again', owner)).rejects.toMatchObject({ code: 'run_ended' })
    expect((await eventTypes(other, collecting)).filter((type) => type === 'signal.received')).toHaveLength(2)
  })

  test('a signal over the inbox keeps the number of its message', async () => {
    const { holder } = await pair()
    const runId = await submit(holder, 'collecting', { count: 2 })
    await waiting(holder, runId, 'signal')
    const message = { type: 'signal', runId, signal: 'add', payload: 1, actor: owner.id } as const
    const { id } = await holder.store.write({ kind: 'put_inbox', message, timeMs: Date.now() })
    await until(
      () => eventTypes(holder, runId),
      (types) => types.includes('signal.received'),
    )
    const received = (await holder.store.events.ofRun(runId)).find(
      (event) => event.type === 'signal.received',
    )
    expect(received?.data.inbox_id).toBe(id)
  })

  test('the other process takes over when the holder stops, and completed steps are not run again', async () => {
    const [began, calls] = [gate(), { first: 0, second: 0 }]
    const First: StepFunction = async (input) => {
      calls.first += 1
      return input
    }
    const Second: StepFunction = async (input, { signal }) => {
      calls.second += 1
      began.open()
      if (calls.second === 1) {
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        )
      }
      return input
    }
    const { holder, other } = await pair({ First, Second })
    const runId = await submit(holder, 'sequence', 1)
    await began.opened
    await holder.stop()
    expect((await ended(other, runId)).status).toBe('completed')
    expect(calls).toEqual({ first: 1, second: 2 })
  })

  test('a process whose lease was taken away stops its runs at once and writes nothing more', async () => {
    const [began, aborted] = [gate(), gate()]
    let calls = 0
    const First: StepFunction = async (input, { signal }) => {
      calls += 1
      if (calls > 1) return input
      began.open()
      await untilAborted(signal).catch(() => aborted.open())
      return 'from the process that lost the lease'
    }
    const { holder, other } = await pair({ First })
    const runId = await submit(holder, 'sequence', 1)
    await began.opened
    // As if this process had been asleep for longer than its lease: another one took it meanwhile.
    const session = await openSession({ dataDir: '', databaseUrl }, 'write')
    await session.run(ask(`UPDATE engine_lease SET holder = 'thief', epoch = epoch + 1, until_ms = 0`))
    await session.close()
    await aborted.opened
    expect((await ended(other, runId)).status).toBe('completed')
    const types = await eventTypes(other, runId)
    expect(types.filter((type) => type === 'step.completed')).toHaveLength(3)
    expect((await record(other, runId)).result).toEqual([1, 1, 1])
  })
})
