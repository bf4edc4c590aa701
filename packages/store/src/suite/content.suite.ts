import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { CommandOf, NewLogLine } from '../command.ts'
import type { Store } from '../store.ts'
import {
  append,
  completed,
  expectProblem,
  newId,
  newRun,
  projectId,
  runCreated,
  started,
  startMs,
  submission,
  submit,
} from './rig.ts'

const hourMs = 60 * 60 * 1000

function line(message: string, step: string | null = null): NewLogLine {
  return { timeMs: startMs, level: 'info', step, attempt: step === null ? null : 1, message }
}

export function testContent(store: () => Store): void {
  test('log lines of a run are numbered without a gap and read from anywhere', async () => {
    const { run } = await submit(store())
    const write = (...lines: NewLogLine[]) =>
      store().write({ kind: 'append_log_lines', runId: run.id, lines })
    const both = await Promise.all([write(line('one'), line('two', 'Scan')), write(line('nul \0 inside'))])
    expect(both).toEqual([{ lastLine: 2 }, { lastLine: 3 }])
    const lines = await store().logs.list(run.id, { after: 0, limit: 10 })
    expect(lines.map((entry) => entry.line)).toEqual([1, 2, 3])
    expect(lines[1]).toEqual({
      ...{
        line: 2,
        time: '2026-01-01T00:00:00.000Z',
        level: 'info',
        step: 'Scan',
        attempt: 1,
        message: 'two',
      },
    })
    expect(lines[2]?.message).toMatch(/^nul . inside$/s)
    expect(await store().logs.list(run.id, { after: 1, limit: 1 })).toMatchObject([{ line: 2 }])
    expect(await store().logs.list(run.id, { after: 0, limit: 9, step: 'Scan' })).toHaveLength(1)
    await expectProblem(
      store().write({ kind: 'append_log_lines', runId: newId(), lines: [line('x')] }),
      'run_not_found',
    )
  })

  test('who waits for log lines or the inbox is woken', async () => {
    const { run } = await submit(store())
    const stop = new AbortController()
    const wait = async (changes: AsyncIterable<void>) => {
      for await (const _ of changes) return performance.now()
      return 0
    }
    const woken = [wait(store().logs.changes(run.id, stop.signal)), wait(store().inbox.changes(stop.signal))]
    await delay(20)
    const writtenMs = performance.now()
    await store().write({ kind: 'append_log_lines', runId: run.id, lines: [line('x')] })
    await store().write({ kind: 'put_inbox', message: { type: 'accept', runId: run.id }, timeMs: startMs })
    for (const wokenMs of await Promise.all(woken)) expect(wokenMs - writtenMs).toBeLessThan(900)
    stop.abort()
    for await (const _ of store().inbox.changes(stop.signal)) expect.unreachable()
  })

  test('a hint reaches who listens to one of its runs, however many they are, and nobody else', async () => {
    // More than PostgreSQL takes at once.
    const runIds = Array.from({ length: 400 }, newId)
    const heard: string[] = []
    const all = Promise.withResolvers<void>()
    const stops = [...runIds, newId()].map((runId) =>
      store().hints.listen(runId, () => {
        heard.push(runId)
        if (heard.length === runIds.length) all.resolve()
      }),
    )
    await store().hints.send(runIds)
    await all.promise
    expect(heard).toEqual(runIds)
    for (const stop of stops) stop()
    await store().hints.send(runIds.slice(0, 1))
    expect(heard).toHaveLength(runIds.length)
  })

  test('the inbox hands its messages out in order until they are taken', async () => {
    const { run } = await submit(store())
    const put = (reason: string) =>
      store().write({
        kind: 'put_inbox',
        message: { type: 'cancel', runId: run.id, reason, actor: 'user:ada' },
        timeMs: startMs,
      })
    const [first, second] = await Promise.all([put('a'), put('b')])
    expect(second.id).toBeGreaterThan(first.id)
    expect((await store().inbox.list(0, 10)).map(({ message }) => message)).toMatchObject([
      ...[{ reason: 'a' }, { reason: 'b' }],
    ])
    expect(await store().inbox.list(first.id, 10)).toMatchObject([{ id: second.id }])
    const third = await put('c')
    await store().write({ kind: 'take_inbox', ids: [third.id, first.id] })
    expect(await store().inbox.list(0, 10)).toMatchObject([{ id: second.id }])
    await store().write({ kind: 'take_inbox', ids: [second.id] })
    expect(await store().inbox.list(0, 10)).toEqual([])
    expect((await put('d')).id).toBeGreaterThan(third.id)
  })

  test('a submission that asks for it tells the inbox in its own commit', async () => {
    const command = { ...submission(), announce: true }
    const stop = new AbortController()
    const woken = (async () => {
      for await (const _ of store().inbox.changes(stop.signal)) return performance.now()
      return 0
    })()
    await delay(20)
    const writtenMs = performance.now()
    await store().write(command)
    expect((await woken) - writtenMs).toBeLessThan(900)
    stop.abort()
    await append(store(), command.run.id, completed(null))
    const again = newRun(command.job, { attempt: 2 })
    const retry: CommandOf<'retry_job'> = {
      kind: 'retry_job',
      run: again,
      events: [runCreated(again)],
      announce: true,
    }
    await store().write(retry)
    await expectProblem(store().write({ ...retry, run: newRun(command.job) }), 'run_not_ended')
    await submit(store())
    expect((await store().inbox.list(0, 10)).map(({ message }) => message)).toEqual([
      { type: 'accept', runId: command.run.id },
      { type: 'accept', runId: again.id },
    ])
  })

  test('bytes are found by their hash', async () => {
    const bytes = Uint8Array.from([0, 1, 2, 255])
    const { sha256 } = await store().blobs.put(bytes)
    expect(await store().blobs.put(bytes)).toEqual({ sha256, bytes: 4 })
    expect(Uint8Array.from((await store().blobs.get(sha256)) ?? [])).toEqual(bytes)
    expect(await store().blobs.get('0'.repeat(64))).toBeUndefined()
    expect(await store().blobs.get('../kyros.db')).toBeUndefined()
  })

  test('an artifact of a run is replaced by one of the same name', async () => {
    const { run } = await submit(store())
    const put = (name: string, bytes: number) =>
      store().write({
        ...{ kind: 'put_artifact', runId: run.id, name, mediaType: 'text/plain', sha256: 'a'.repeat(64) },
        ...{ bytes, createdMs: startMs },
      })
    await put('report', 1)
    await put('report', 2)
    await put('log', 3)
    const report = { name: 'report', media_type: 'text/plain', sha256: 'a'.repeat(64), bytes: 2 }
    expect(await store().artifacts.list(run.id)).toMatchObject([{ name: 'log' }, report])
    expect(await store().artifacts.get(run.id, 'report')).toMatchObject(report)
    expect(await store().artifacts.get(run.id, 'none')).toBeUndefined()
  })

  test('a definition is stored once under its hash', async () => {
    const definition = { hash: 'h', name: 'sample', version: '1', source: 'export {}', createdMs: startMs }
    await store().write({ kind: 'store_definition', definition })
    await store().write({ kind: 'store_definition', definition: { ...definition, source: 'other' } })
    expect(await store().definitions.get('h')).toEqual(definition)
    expect(await store().definitions.get('none')).toBeUndefined()
    const { source: _, ...listed } = definition
    expect(await store().definitions.list()).toEqual([listed])
    expect((await store().events.list({ type: 'definition.stored' })).items).toHaveLength(1)
  })

  test('a project is made once by its name and listed in the order of making', async () => {
    const make = (id: string, name: string, timeMs: number) =>
      store().write({
        ...{ kind: 'create_project', id, name, description: 'd', projectType: 'standard' },
        ...{ timeMs, actor: 'setup' },
      })
    await make(projectId, 'default', startMs)
    await make(newId(), 'default', startMs)
    await make(newId(), 'second', startMs + 1)
    expect(await store().projects.byName('default')).toMatchObject({ id: projectId, type: 'standard' })
    expect(await store().projects.get(projectId)).toMatchObject({ name: 'default', status: 'active' })
    const first = await store().projects.list({ limit: 1 })
    const second = await store().projects.list({ limit: 1, cursor: first.nextCursor ?? '' })
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(['default', 'second'])
  })

  testStats(store)
}

function testStats(store: () => Store): void {
  test('the numbers of a day count what ended in it, by the hour', async () => {
    const nowMs = startMs + 20 * hourMs
    const end = async (endMs: number, failed: boolean) => {
      const { run } = await submit(store())
      const event = failed
        ? ({ type: 'run.timed_out', timeMs: endMs, data: { error: { code: 'late', message: 'x' } } } as const)
        : completed(null, endMs)
      await append(store(), run.id, started, event)
    }
    await end(startMs + 2 * hourMs, false)
    await end(startMs + 2 * hourMs + 5, false)
    await end(startMs + 3 * hourMs, true)
    await submit(store())
    const stats = await store().stats(nowMs)
    expect(stats).toMatchObject({
      as_of_seq: await store().events.head(),
      jobs: { completed: 2, timed_out: 1, pending: 1 },
      runs: { completed: 2, timed_out: 1, pending: 1 },
      last_24h: { started: 3, completed: 2, failed: 1, success_rate: 2 / 3, p95_seconds: 7_199.005 },
    })
    expect(stats.last_24h.hourly).toHaveLength(24)
    const busy = stats.last_24h.hourly.filter((hour) => hour.completed + hour.failed > 0)
    expect(busy).toEqual([
      { hour: '2026-01-01T02:00:00.000Z', completed: 2, failed: 0 },
      { hour: '2026-01-01T03:00:00.000Z', completed: 0, failed: 1 },
    ])
    const later = (await store().stats(nowMs + 48 * hourMs)).last_24h
    expect(later).toMatchObject({ started: 0, completed: 0, success_rate: null, p95_seconds: null })
  })

  test('a store answers a ping until it is closed, and then refuses every write', async () => {
    await store().ping(1_000)
    await store().close()
    await expectProblem(submit(store()), 'store_unavailable')
    await expectProblem(store().jobs.get(newId()), 'store_unavailable')
    await expectProblem(store().ping(1_000), 'store_unavailable')
    await store().close()
  })
}
