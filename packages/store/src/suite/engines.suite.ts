import { setTimeout as delay } from 'node:timers/promises'
import type { RunEngine } from '@kyros/contract/run'
import { expect, test } from 'vitest'
import type { CommandOf, InboxMessage, NewRunEvent } from '../command.ts'
import type { Store } from '../store.ts'
import {
  append,
  completed,
  newRun,
  runCreated,
  started,
  startMs,
  submission,
  submit,
  waiting,
} from './rig.ts'

function continued(change: { engine?: 'temporal' }): NewRunEvent {
  const data = { input: null, definition: 'e'.repeat(64), version: '2', carried: [], part: 1, ...change }
  return { type: 'run.continued', timeMs: startMs + 2_000, data }
}

/** Runs of two engines beside each other. */
export function testEngines(store: () => Store): void {
  async function submitTo(engine: RunEngine, changes: { announce?: boolean; definition?: string } = {}) {
    const { announce = false, ...fields } = changes
    const { job } = submission()
    const run = newRun(job, { engine, ...fields })
    await store().write({ kind: 'submit_job', job, run, events: [runCreated(run)], announce })
    return run
  }

  test('a run says its engine when that is not the embedded one, and is found by it', async () => {
    const { run: plain } = await submit(store())
    const named = await submitTo('embedded')
    const other = await submitTo('temporal')
    const ids = async (engine: RunEngine) =>
      (await store().runs.list({ engine })).items.map(({ id }) => id).toSorted()
    expect(await ids('temporal')).toEqual([other.id])
    expect(await ids('embedded')).toEqual([plain.id, named.id].toSorted())
    expect((await store().runs.list({ engine: 'temporal' })).total).toBe(1)
    expect(await store().runs.get(other.id)).toMatchObject({ id: other.id, engine: 'temporal' })
    for (const id of [plain.id, named.id]) expect(await store().runs.get(id)).not.toHaveProperty('engine')
    const many = await store().runs.many([plain.id, other.id])
    expect(many.find(({ id }) => id === other.id)).toHaveProperty('engine', 'temporal')
    expect(many.find(({ id }) => id === plain.id)).not.toHaveProperty('engine')
    await append(store(), other.id, started, completed(1))
    expect(await store().runs.get(other.id)).toMatchObject({ engine: 'temporal', status: 'completed' })
  })

  test('a job that is tried again may go to another engine', async () => {
    const { job, run } = await submit(store())
    await append(store(), run.id, completed(null))
    const again = newRun(job, { attempt: 2, engine: 'temporal' })
    const retry: CommandOf<'retry_job'> = { kind: 'retry_job', run: again, events: [runCreated(again)] }
    await store().write({ ...retry, announce: true })
    expect(await store().runs.get(again.id)).toMatchObject({ engine: 'temporal', attempt: 2 })
    expect(await store().inbox.list(0, 9)).toEqual([])
    expect(await store().inbox.list(0, 9, 'temporal')).toMatchObject([{ message: { runId: again.id } }])
  })

  test('each engine finds its own unfinished runs, in pages', async () => {
    const embedded: string[] = []
    const temporal: string[] = []
    for (let index = 0; index < 3; index++) {
      embedded.push((await submitTo('embedded')).id)
      temporal.push((await submitTo('temporal', { definition: `of-${index % 2}` })).id)
    }
    // Those of one millisecond come in any order.
    embedded.sort()
    temporal.sort()
    await submitTo('temporal', { definition: '' })
    const ended = await submitTo('temporal')
    await append(store(), ended.id, completed(null))
    const { runs } = store()
    expect((await runs.unfinished(undefined, 9)).map(({ id }) => id)).toEqual(embedded)
    expect(await runs.unfinishedIds(undefined, 9)).toEqual(embedded)
    const pages = []
    for (let after: string | undefined; ; ) {
      const page = await runs.unfinished(after, 2, 'temporal')
      expect(await runs.unfinishedIds(after, 2, 'temporal')).toEqual(page.map(({ id }) => id))
      after = page.at(-1)?.id
      if (after === undefined) break
      pages.push(page.map(({ id }) => id))
    }
    expect(pages).toEqual([temporal.slice(0, 2), temporal.slice(2)])
    const onTemporal = new Map([
      ['of-0', 2],
      ['of-1', 1],
    ])
    expect(await runs.countByDefinition('temporal')).toEqual(onTemporal)
    expect(await runs.countByDefinition('embedded')).toEqual(new Map([['d'.repeat(64), 3]]))
    expect(await runs.countByDefinition()).toEqual(new Map([...onTemporal, ['d'.repeat(64), 3]]))
  })

  test('each engine reads its own messages alone, and leaves those of the other', async () => {
    const first = await submitTo('temporal', { announce: true })
    const second = await submitTo('embedded', { announce: true })
    const cancel = (runId: string): InboxMessage => ({ type: 'cancel', runId, reason: 'r', actor: 'a' })
    const put = (message: InboxMessage) => store().write({ kind: 'put_inbox', message, timeMs: startMs })
    const { id } = await put(cancel(first.id))
    await put(cancel(second.id))
    await put(cancel(second.id))
    const { inbox } = store()
    const types = async (after: number, engine?: RunEngine) =>
      (await inbox.list(after, 9, engine)).map(({ message }) => [message.type, message.runId])
    expect(await types(0)).toEqual([
      ['accept', second.id],
      ['cancel', second.id],
      ['cancel', second.id],
    ])
    expect(await types(0, 'embedded')).toEqual(await types(0))
    expect(await types(0, 'temporal')).toEqual([
      ['accept', first.id],
      ['cancel', first.id],
    ])
    expect(await types(id - 1, 'temporal')).toEqual([['cancel', first.id]])
    expect((await inbox.list(0, 1, 'temporal')).map(({ message }) => message.type)).toEqual(['accept'])
    const own = await inbox.list(0, 9)
    const all = [...own, ...(await inbox.list(0, 9, 'temporal'))]
    await store().write({ kind: 'take_inbox', ids: all.map((message) => message.id) })
    expect(await types(0)).toEqual([])
    expect(await types(0, 'temporal')).toHaveLength(2)
  })

  test('a part that goes to another engine takes the run and what waits for it along, in one commit', async () => {
    const { run } = await submit(store())
    const { run: other } = await submit(store())
    await append(store(), run.id, started)
    const cancel = (runId: string): InboxMessage => ({ type: 'cancel', runId, reason: 'r', actor: 'a' })
    const put = (runId: string) =>
      store().write({ kind: 'put_inbox', message: cancel(runId), timeMs: startMs })
    const { id } = await put(run.id)
    await put(other.id)
    const late = await put(run.id)
    const moved = continued({ engine: 'temporal' })
    const stop = new AbortController()
    const woken = (async () => {
      for await (const _ of store().inbox.changes(stop.signal)) return 'woken'
    })()
    await delay(20)
    // What is put while the run moves is behind it or in front of it, and never left behind.
    const [outcomes, meanwhile] = await Promise.all([
      store().write({
        kind: 'append_many',
        appends: [{ runId: run.id, events: [moved], expectedRunSeq: 2 }],
      }),
      put(run.id),
    ])
    expect(outcomes).toMatchObject([{ firstSeq: expect.any(Number) }])
    const last = await put(run.id)
    expect(await woken).toBe('woken')
    stop.abort()
    expect(await store().runs.get(run.id)).toMatchObject({
      ...{ engine: 'temporal', temporal_id: run.id, definition: 'e'.repeat(64), continued: 1 },
    })
    expect(await store().runs.unfinishedIds(undefined, 9, 'temporal')).toEqual([run.id])
    expect(await store().runs.unfinishedIds(undefined, 9)).toEqual([other.id])
    expect((await store().inbox.list(0, 9)).map(({ message }) => message)).toEqual([cancel(other.id)])
    const taken = await store().inbox.list(0, 9, 'temporal')
    expect(taken.find(({ message }) => message.type === 'accept')).toMatchObject({
      message: { type: 'accept', runId: run.id, since: id },
    })
    const cancelled = taken.filter(({ message }) => message.type === 'cancel')
    expect(cancelled.map((message) => message.id)).toEqual([id, late.id, meanwhile.id, last.id])
    // Who read them before they were handed over may not take them off.
    await store().write({ kind: 'take_inbox', ids: cancelled.map((message) => message.id) })
    expect(await store().inbox.list(0, 9, 'temporal')).toHaveLength(5)
    await store().write({
      ...{ kind: 'take_inbox', engine: 'temporal' },
      ids: taken.map((message) => message.id),
    })
    expect(await store().inbox.list(0, 9, 'temporal')).toEqual([])
  })

  test('a part that goes to another engine on a condition that does not hold leaves the run where it is', async () => {
    const { run } = await submit(store())
    const events = [continued({ engine: 'temporal' })]
    const [outcome] = await store().write({
      ...{ kind: 'append_many', appends: [{ runId: run.id, events, expectedRunSeq: 7 }] },
    })
    expect(outcome).toMatchObject({ error: { name: 'RunConflict' } })
    expect(await store().runs.get(run.id)).not.toHaveProperty('engine')
    expect(await store().inbox.list(0, 9, 'temporal')).toEqual([])
  })

  test('what still runs is counted by engine and status', async () => {
    await submitTo('embedded')
    for (const runsOf of ['embedded', 'temporal', 'temporal'] as const) {
      await append(store(), (await submitTo(runsOf)).id, started, waiting('timer'))
    }
    await append(store(), (await submitTo('temporal')).id, completed(null))
    expect(await store().runs.countByEngine()).toEqual([
      { engine: 'embedded', status: 'pending', runs: 1 },
      { engine: 'embedded', status: 'waiting', runs: 1 },
      { engine: 'temporal', status: 'waiting', runs: 2 },
    ])
  })
}
