import { randomBytes } from 'node:crypto'
import { uuidv7 } from '@kyros/contract/uuidv7'
import type { NewRunEvent } from '@kyros/store/command'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Record } from '../load/records.ts'
import { checkHistory } from './check-history.ts'

const startMs = Date.UTC(2026, 0, 1)
const newId = () => uuidv7(startMs, randomBytes(10))
const [job, run] = [newId(), newId()]
let store: Store

const at = (ms: number) => startMs + ms
const step = (key: string, command: number, ms: number, output: number): NewRunEvent[] => {
  const base = { step: 'Add', key, command }
  return [
    { type: 'step.scheduled', timeMs: at(ms), data: { ...base, input: null, max_attempts: 3 } },
    { type: 'step.started', timeMs: at(ms), data: { ...base, attempt: 1 } },
    { type: 'step.completed', timeMs: at(ms + 5), data: { ...base, attempt: 1, output } },
  ]
}

beforeEach(async () => {
  store = await openStore({ dataDir: ':memory:' })
  const facts = { workflow: 'ordered', version: '1', definition: 'd'.repeat(64), priority: 'medium' as const }
  const asked = { createdBy: 'user:ada', createdMs: startMs, input: { value: 1 } }
  const projectId = newId()
  const created = {
    ...{ workflow: 'ordered', version: '1', definition: facts.definition, input: asked.input, attempt: 1 },
    ...{ priority: 'medium', max_retries: 0, timeout_seconds: 60, engine_flags: 0, sdk_version: '1' },
    created_by: 'user:ada',
  }
  await store.write({
    kind: 'submit_job',
    job: {
      ...{ id: job, title: 'load', task: null, agentId: null, workflow: 'ordered', priority: 'medium' },
      ...{ projectId, metadata: {}, ...asked },
    },
    run: {
      ...{ id: run, jobId: job, workflow: 'ordered', version: '1', definition: facts.definition, attempt: 1 },
      ...{ maxRetries: 0, timeoutSeconds: 60, createdByRole: 'admin', ...asked },
    },
    events: [{ type: 'run.created', timeMs: startMs, data: created }],
  })
  const events: NewRunEvent[] = [
    { type: 'run.started', timeMs: at(1), data: {} },
    ...step('Add', 1, 10, 2),
    ...step('Add#2', 2, 20, 3),
    ...step('Add#3', 3, 30, 4),
    { type: 'run.completed', timeMs: at(40), data: { result: [2, 3, 4] } },
  ]
  await store.write({ kind: 'append_run_events', runId: run, events })
})

afterEach(() => store.close())

const start: Record = { kind: 'start', run, job, workflow: 'ordered', value: 1, timeMs: startMs }
const effect = (key: string, ms: number): Record => ({ kind: 'effect', run, key, attempt: 1, timeMs: at(ms) })
const effects = [effect('Add', 10), effect('Add#2', 20), effect('Add#3', 30)]
const check = (...records: Record[]) => checkHistory(store, [start, ...effects, ...records], true)

test('a history that keeps every promise has nothing to be found', async () => {
  const head = await store.events.head()
  const seen: Record = { kind: 'seen', events: [[head, 12, run, 'run.completed']] }
  expect(await check(seen)).toEqual({ lost: [], doubled: [], wrong: [] })
})

test('a start, a signal, a cancellation and an event that are gone are lost', async () => {
  const other = newId()
  const { lost } = await check(
    { kind: 'start', run: other, job, workflow: 'ordered', value: 2, timeMs: startMs },
    { kind: 'signal', run, signal: 'add', value: 'x' },
    { kind: 'cancel', run },
    { kind: 'seen', events: [[99, 12, run, 'run.resumed']] },
  )
  expect(lost).toHaveLength(4)
})

test('a step that is done after it was recorded is doubled, and one before what it needs is wrong', async () => {
  expect((await check(effect('Add', 16))).doubled).toHaveLength(1)
  expect((await check(effect('Add#2', 14))).wrong).toHaveLength(1)
})

test('a projection that is not the fold of the log is wrong', async () => {
  const lying: Store = {
    ...store,
    runs: {
      ...store.runs,
      get: async (id) => {
        const record = await store.runs.get(id)
        return record && { ...record, steps_completed: 2 }
      },
    },
  }
  const { wrong } = await checkHistory(lying, [start], true)
  expect(wrong).toEqual([`run ${run}: steps_completed is 2, the log says 3`])
})

test('a gap and a repetition in the log are seen', async () => {
  const list: Store['events']['list'] = async (query) => {
    const page = await store.events.list(query)
    return { ...page, items: page.items.filter(({ type }) => type !== 'run.started') }
  }
  const gap = await checkHistory({ ...store, events: { ...store.events, list } }, [start], true)
  expect(gap.lost).toHaveLength(2)
  const twice: Store['events']['list'] = async (query) => {
    const page = await store.events.list(query)
    return { ...page, items: page.items.flatMap((item) => (item.run_seq === 4 ? [item, item] : [item])) }
  }
  const doubled = await checkHistory({ ...store, events: { ...store.events, list: twice } }, [start], true)
  expect(doubled.doubled.length).toBeGreaterThan(0)
})
