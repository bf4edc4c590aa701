import { problem } from '@kyros/contract/problem'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { expect, test } from 'vitest'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { ended, owner, plain, record, submit, until, waiting } from '../suite/rig.ts'
import { createEmbeddedRig, testClock } from './embedded-rig.ts'
import { Inbox } from './inbox.ts'
import { obeyInOrder } from './inbox-line.ts'

test('what comes directly does not overtake what another process left in the inbox', async () => {
  const opened = await openStore({ dataDir: ':memory:' })
  // As with several processes, of which this one is never told that its inbox has something new.
  const store: Store = {
    ...opened,
    dialect: 'postgres',
    inbox: {
      ...opened.inbox,
      changes: async function* (signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      },
    },
  }
  const rig = await createEmbeddedRig({ store, steps: plain, workflows: [testWorkflow('collecting')] })
  const runId = await submit(rig, 'collecting', { count: 2 })
  await waiting(rig, runId, 'signal')
  const message = { type: 'signal', runId, signal: 'add', payload: 'first', actor: owner.id } as const
  await store.write({ kind: 'put_inbox', message, timeMs: Date.now() })
  await rig.engine.signal(runId, 'add', 'second', owner)
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['first', 'second'] })
  expect(await store.inbox.list(0, 10)).toEqual([])
  await rig.stop()
})

test('messages that were acknowledged before a start reach their run before what comes after it', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps: plain, workflows: [testWorkflow('collecting')] })
  const runId = await submit(rig, 'collecting', { count: 3 })
  await waiting(rig, runId, 'signal')
  const first = { type: 'signal', runId, signal: 'add', payload: 'first', actor: owner.id } as const
  await rig.engine.drain(0)
  await store.write({ kind: 'put_inbox', message: first, timeMs: Date.now() })
  await rig.restart()
  for (const item of ['second', 'third']) await rig.engine.signal(runId, 'add', item, owner)
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['first', 'second', 'third'] })
  await rig.stop()
})

test('what comes while the inbox takes long is acknowledged in it, behind what is there', async () => {
  const opened = await openStore({ dataDir: ':memory:' })
  const read = Promise.withResolvers<void>()
  let isSlow = false
  const store: Store = {
    ...opened,
    dialect: 'postgres',
    inbox: {
      ...opened.inbox,
      list: async (after, limit) => {
        if (isSlow) await read.promise
        return opened.inbox.list(after, limit)
      },
    },
  }
  const rig = await createEmbeddedRig({ store, steps: plain, workflows: [testWorkflow('collecting')] })
  const runId = await submit(rig, 'collecting', { count: 2 })
  await waiting(rig, runId, 'signal')
  isSlow = true
  for (const item of ['first', 'second']) await rig.engine.signal(runId, 'add', item, owner)
  expect(await opened.inbox.list(0, 10)).toHaveLength(2)
  read.resolve()
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['first', 'second'] })
  await rig.stop()
})

/** A store that cannot read the histories of some runs. */
function unreadable(store: Store, runIds: ReadonlySet<string>): Store {
  const histories: Store['runs']['histories'] = async (asked) => {
    if (asked.some((runId) => runIds.has(runId))) throw new Error('The blob is missing.')
    return store.runs.histories(asked)
  }
  return { ...store, dialect: 'postgres', runs: { ...store.runs, histories } }
}

const message = (runId: string, payload: string | number) =>
  ({ type: 'signal', runId, signal: 'add', payload, actor: owner.id }) as const

test('a message that cannot be obeyed holds back those of its run, and no others', async () => {
  const opened = await openStore({ dataDir: ':memory:' })
  const bad = new Set<string>()
  const logged: string[] = []
  const rig = await createEmbeddedRig({
    ...{ store: unreadable(opened, bad), steps: plain, workflows: [testWorkflow('collecting')] },
    change: { evictAfterMs: 10 },
    onLog: (level, text) => logged.push(`${level} ${text}`),
  })
  const asleep = async (count: number) => {
    const runId = await submit(rig, 'collecting', { count })
    await until(
      async () => rig.engine.health().details.asleep_runs,
      (asleepRuns) => asleepRuns === 1,
    )
    return runId
  }
  const stuck = await asleep(2)
  bad.add(stuck)
  const other = await submit(rig, 'collecting', { count: 520 })
  const timeMs = Date.now()
  const put = (runId: string, payload: string | number) =>
    opened.write({ kind: 'put_inbox', message: message(runId, payload), timeMs })
  await put(stuck, 'first')
  await Promise.all(Array.from({ length: 519 }, (_, index) => put(other, index)))
  await rig.engine.signal(other, 'add', 519, owner)
  const { result } = await ended(rig, other)
  expect(result).toEqual({ met: true, items: Array.from({ length: 520 }, (_, index) => index) })
  await rig.engine.signal(stuck, 'add', 'second', owner)
  expect(await opened.inbox.list(0, 10)).toMatchObject([
    { message: { payload: 'first' } },
    { message: { payload: 'second' } },
  ])
  bad.clear()
  expect((await ended(rig, stuck)).result).toEqual({ met: true, items: ['first', 'second'] })
  expect(await opened.inbox.list(0, 10)).toEqual([])
  await rig.stop()
})

test('a message that no try can obey is given up, which is an error in the log', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const lines: string[] = []
  const failing = () => Promise.reject(new Error('It has no history.'))
  const options = {
    ...{ store, clock: testClock },
    log: (level: string, text: string) => lines.push(`${level}: ${text}`),
  }
  const one = { id: 7, message: message('run-1', 'first') }
  const signal = new AbortController().signal
  const first = await obeyInOrder({ ...options, obey: failing }, [one], 0, signal)
  expect(first).toEqual({ taken: [], left: { id: 7, tries: 1, pauseMs: 100 } })
  expect(await obeyInOrder({ ...options, obey: failing }, [one], 19, signal)).toEqual({
    taken: [7],
    left: undefined,
  })
  const last =
    'error: Run run-1: the signal add of user:suite is given up after 20 tries: Error: It has no history.'
  expect(lines).toContain(last)
  const away = () => Promise.reject(problem('store_unavailable', { detail: 'Away.' }))
  expect((await obeyInOrder({ ...options, obey: away }, [one], 19, signal)).left).toMatchObject({
    tries: 19,
  })
  await store.close()
})

test('on SQLite too, what this process has put into the inbox is done before what comes after it', async () => {
  const opened = await openStore({ dataDir: ':memory:' })
  const changes: Store['inbox']['changes'] = async function* (signal) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
  const store: Store = { ...opened, inbox: { ...opened.inbox, changes } }
  const done: unknown[] = []
  const obey: ConstructorParameters<typeof Inbox>[0]['obey'] = async ({ message: one }) => {
    if (one.type === 'signal') done.push(one.payload)
  }
  const inbox = new Inbox({ store, clock: testClock, log: () => {}, obey })
  const stop = new AbortController()
  const kept = inbox.keep(stop.signal)
  expect(await inbox.caughtUp('run-1')).toBe(true)
  await store.write({ kind: 'put_inbox', message: message('run-1', 'first'), timeMs: Date.now() })
  inbox.filled()
  expect(await inbox.caughtUp('run-1')).toBe(true)
  expect(done).toEqual(['first'])
  stop.abort()
  await kept
  await store.close()
})

test('what comes with a run from another engine is older than what was read, and is done before what follows it', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps: plain, workflows: [testWorkflow('collecting')] })
  const runId = await submit(rig, 'collecting', { count: 9 })
  const other = await submit(rig, 'collecting', { count: 9 })
  for (const id of [runId, other]) await waiting(rig, id, 'signal')
  await rig.engine.drain(0)
  const put = (of: string, payload: string) =>
    store.write({ kind: 'put_inbox', message: message(of, payload), timeMs: Date.now() })
  const move = (of: string, before: string) =>
    store.write({
      ...{ kind: 'append_run_events', runId: of },
      events: [
        {
          ...{ type: 'run.continued', timeMs: Date.now() },
          data: { input: null, definition: before, version: '1', carried: [], engine: 'temporal' },
        },
      ],
    })
  const { definition } = await record(rig, runId)
  for (let index = 0; index < 520; index++) await put(runId, `${index}`)
  await move(other, definition)
  const obeyed: string[] = []
  const inbox = new Inbox({
    ...{ store, clock: testClock, engine: 'temporal', log: () => {} },
    obey: async ({ message: { runId: of, ...rest } }) => {
      obeyed.push(`${of === runId ? '' : 'other '}${rest.type === 'signal' ? rest.payload : rest.type}`)
    },
  })
  const stopping = new AbortController()
  const kept = inbox.keep(stopping.signal)
  await inbox.caughtUp(other)
  expect(obeyed).toEqual(['other accept'])
  await move(runId, definition)
  await put(runId, 'after')
  inbox.filled()
  await inbox.caughtUp(runId)
  const numbers = Array.from({ length: 520 }, (_, index) => `${index}`)
  expect(obeyed.slice(1)).toEqual([...numbers, 'accept', 'after'])
  expect(await store.inbox.list(0, 9, 'temporal')).toEqual([])
  stopping.abort()
  await kept
  await rig.stop()
})
