import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { RunEngine } from '@kyros/contract/run'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { backup } from '../backup.ts'
import type { Command, NewRunEvent } from '../command.ts'
import { migrate, rollback } from '../migrate.ts'
import { openStore } from '../open-store.ts'
import { restore } from '../restore.ts'
import type { Store } from '../store.ts'
import {
  completed,
  keyed,
  newRun,
  readLog,
  runCreated,
  started,
  startMs,
  submission,
  submit,
  waiting,
} from '../suite/rig.ts'
import { decodeAll, encode, type Wire } from '../wire.ts'
import { connectToWrite } from './connect.ts'
import { upgradeFile } from './upgrade-file.ts'
import { SqliteWriter } from './writer.ts'

let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kyros-lag-'))
})
afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true })
})

/** A writer of its own on the file; `kill` leaves the file as a crash after the last commit would. */
function openWriter(dir = dataDir) {
  upgradeFile(dir)
  const db = connectToWrite(join(dir, 'kyros.db'))
  const writer = new SqliteWriter(db)
  const apply = (...commands: Command[]) => {
    const wire: Wire = []
    for (const command of commands) encode(wire, command)
    return writer.apply(decodeAll(wire))
  }
  return { writer, apply, kill: () => db.close() }
}

function projected(): number {
  const db = new DatabaseSync(join(dataDir, 'kyros.db'), { readOnly: true })
  const row = db.prepare('SELECT COUNT(*) AS runs FROM runs').get()
  db.close()
  return Number(row?.runs)
}

async function readEverything(store: Store) {
  const jobs = (await store.jobs.list({ limit: 200 })).items
  const runs = (await store.runs.list({ limit: 200 })).items
  const whole = await Promise.all(runs.map(({ id }) => store.runs.get(id)))
  const lines = await Promise.all(runs.map(({ id }) => store.logs.list(id, { after: 0, limit: 99 })))
  const artifacts = await Promise.all(runs.map(({ id }) => store.artifacts.list(id)))
  const unfinished = await store.runs.unfinished(undefined, 99)
  const elsewhere = await store.runs.unfinished(undefined, 99, 'temporal')
  return {
    ...{ jobs, runs, whole, lines, artifacts, unfinished, elsewhere, log: await readLog(store) },
    stats: await store.stats(startMs + 10_000),
  }
}

type Known = { commands: Command[]; runs: string[]; jobs: ReturnType<typeof submission>['job'][] }

const step = { step: 'Scan', key: 'Scan#1', command: 1 }
const scheduled: NewRunEvent = {
  type: 'step.scheduled',
  timeMs: startMs + 5,
  data: { ...step, input: [1], max_attempts: 3 },
}
const continued: NewRunEvent = {
  type: 'run.continued',
  timeMs: startMs + 6,
  data: { input: 2, definition: 'e'.repeat(64), version: '2', carried: [] },
}
const handedOver: NewRunEvent = { ...continued, data: { ...continued.data, engine: 'temporal' } }
const cancelRequested: NewRunEvent = {
  type: 'run.cancel_requested',
  timeMs: startMs + 7,
  data: { reason: 'stop' },
}
const histories: NewRunEvent[][] = [
  [started, scheduled],
  [waiting('timer')],
  [continued, started],
  [handedOver],
  [cancelRequested],
  [completed({ score: 1.5 })],
]

/** The next command of a story; `kind` and `which` are what chance says. */
function nextCommand({ runs, jobs }: Known, kind: number, which: number): Command {
  const runId = runs[which % Math.max(runs.length, 1)]
  const job = jobs[which % Math.max(jobs.length, 1)]
  if (runId === undefined || job === undefined || kind === 0) {
    return nextSubmission(runs.length, which)
  }
  const line = {
    timeMs: startMs,
    level: 'info',
    step: null,
    attempt: null,
    message: `line ${which}`,
  } as const
  const file = { name: `a${which % 2}`, mediaType: 'text/plain', sha256: 'a'.repeat(64), bytes: which }
  switch (kind) {
    case 1:
      return { kind: 'append_log_lines', runId, lines: [line, line] }
    case 2:
      return { kind: 'put_artifact', runId, ...file, createdMs: startMs }
    case 3: {
      const run = newRun(job, { attempt: 2, engine: engineOf(which) })
      return { kind: 'retry_job', run, events: [runCreated(run)] }
    }
    case 4:
      return { kind: 'delete_job', jobId: job.id, actor: 'user:ada', timeMs: startMs }
    case 5:
      return { kind: 'append_event', event: { type: 'tick', subject: 'clock', timeMs: startMs, data: {} } }
    default:
      return { kind: 'append_run_events', runId, events: histories[which % histories.length] ?? [] }
  }
}

function nextSubmission(number: number, which: number): Command {
  const task = which % 2 === 1 ? 'do it' : null
  const command = submission({ title: `Job ${which}`, task }, keyed(`k${number}`, 'f'))
  const run = { ...command.run, engine: engineOf(which), ...(which % 3 === 0 && { input: { own: true } }) }
  return { ...command, run, events: [runCreated(run)] }
}

function engineOf(which: number): RunEngine {
  return which % 4 === 1 ? 'temporal' : 'embedded'
}

function tell(parts: readonly (readonly [number, number])[]): Command[] {
  const known: Known = { commands: [], runs: [], jobs: [] }
  for (const [kind, which] of parts) {
    const command = nextCommand(known, kind, which)
    known.commands.push(command)
    if ('run' in command) known.runs.push(command.run.id)
    if (command.kind === 'submit_job') known.jobs.push(command.job)
  }
  return known.commands
}

test('whenever the writer dies between journal and tables, nothing differs afterwards', async () => {
  const stories = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 11 })), { minLength: 5, maxLength: 30 })
  const ends = fc.array(fc.constantFrom('go on', 'go on', 'go on', 'project', 'die'), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(stories, ends, async (story, after) => {
      const dir = mkdtempSync(join(dataDir, 'story-'))
      const control = await openStore({ dataDir: ':memory:' })
      let open = openWriter(dir)
      for (const [index, command] of tell(story).entries()) {
        const [outcome] = open.apply(command)
        const failed = typeof outcome === 'object' && 'failure' in outcome
        const told = await control.write(command as Command & { kind: 'submit_job' }).then(
          () => true,
          () => false,
        )
        expect(told).toBe(!failed)
        if (after[index] === 'project') open.writer.project()
        if (after[index] !== 'die') continue
        open.kill()
        open = openWriter(dir)
      }
      open.kill()
      const store = await openStore({ dataDir: dir })
      expect(await readEverything(store)).toEqual(await readEverything(control))
      await store.close()
      await control.close()
    }),
    { numRuns: 12 },
  )
})

test('the tables lag behind the journal until somebody reads, and are whole on disk after a close', async () => {
  const { apply, writer, kill } = openWriter()
  const command = submission()
  apply(command)
  expect([writer.lags, projected()]).toEqual([true, 0])
  apply({ kind: 'append_run_events', runId: command.run.id, events: [started, completed('done')] })
  writer.project()
  expect([writer.lags, projected()]).toEqual([false, 1])
  kill()
  const store = await openStore({ dataDir })
  expect(await store.runs.get(command.run.id)).toMatchObject({ status: 'completed', result: 'done' })
  await Promise.all(Array.from({ length: 50 }, () => submit(store)))
  const seen = await Promise.all([store.jobs.list({}), store.runs.list({}), store.stats(startMs)])
  expect([seen[0].total, seen[1].total, seen[2].jobs.pending]).toEqual([51, 51, 50])
  await submit(store)
  await store.close()
  expect(projected()).toBe(52)
})

test('a lag does not last, though nobody reads', async () => {
  const store = await openStore({ dataDir })
  await submit(store)
  await expect.poll(projected, { timeout: 2_000 }).toBe(1)
  await store.close()
})

test('what needs much room is in the tables with the same commit', () => {
  const { apply, writer, kill } = openWriter()
  apply(submission({ task: 'x'.repeat(50_000) }))
  expect([writer.lags, projected()]).toEqual([false, 1])
  kill()
})

test('a batch that breaks off takes nothing of the others with it', () => {
  const { apply, writer, kill } = openWriter()
  const first = submission()
  const key = { id: 'k1', userId: 'u', name: 'n', prefix: 'p', hash: 'same', role: 'admin' } as const
  const apiKey = { ...key, createdMs: 0, expiresMs: null }
  apply(first, { kind: 'create_api_key', apiKey, actor: 'u' })
  const second = submission()
  const outcomes = apply(
    second,
    { kind: 'append_run_events', runId: first.run.id, events: [started] },
    { kind: 'create_api_key', apiKey: { ...apiKey, id: 'k2' }, actor: 'u' },
    { kind: 'append_run_events', runId: first.run.id, events: [completed(1)], expectedRunSeq: 2 },
  )
  expect(outcomes).toMatchObject([5, 6, { failure: { type: 'bug' } }, 7])
  writer.project()
  expect(projected()).toBe(2)
  kill()
})

test('a backup that was made while the tables lagged restores whole, and so does an older form', async () => {
  const { apply, kill } = openWriter()
  const command = submission()
  apply(command, { kind: 'append_run_events', runId: command.run.id, events: [started] })
  kill()
  await backup({ dataDir }, join(dataDir, 'b'), startMs)
  expect(projected()).toBe(0)
  const other = mkdtempSync(join(tmpdir(), 'kyros-lag-'))
  await restore({ dataDir: other }, join(dataDir, 'b'), { nowMs: startMs })
  const restored = await openStore({ dataDir: other })
  expect(await restored.runs.get(command.run.id)).toMatchObject({ status: 'running', run_seq: 2 })
  await restored.close()
  rmSync(other, { recursive: true })

  await rollback({ dataDir }, { nowMs: startMs, count: 4 })
  await migrate({ dataDir }, startMs)
  const store = await openStore({ dataDir })
  expect(await store.runs.get(command.run.id)).toMatchObject({ status: 'running', run_seq: 2 })
  expect((await store.events.ofRun(command.run.id)).map(({ type }) => type)).toEqual([
    'run.created',
    'run.started',
  ])
  await store.close()
})

test('a reader that stays long does not stop the log from being used again', async () => {
  const store = await openStore({ dataDir })
  const wal = () => statSync(join(dataDir, 'kyros.db-wal')).size
  const write = async (count: number) => {
    for (let index = 0; index < count; index++) await submit(store, { task: 'x'.repeat(60_000) })
  }
  const reader = new DatabaseSync(join(dataDir, 'kyros.db'), { readOnly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT COUNT(*) FROM events').get()
  await write(150)
  const grown = wal()
  expect(grown).toBeGreaterThan(3_000 * 4_096)
  reader.exec('COMMIT')
  reader.close()
  await write(300)
  expect(wal()).toBeLessThan(grown + 2_000 * 4_096)
  await store.close()
})
