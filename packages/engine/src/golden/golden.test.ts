import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyToState, emptyRunState, type RunState } from '@kyros/contract/run-state'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDefinitionCache } from '../definitions/definition-cache.ts'
import { type LoadedDefinition, loadBundle } from '../definitions/definitions.ts'
import { asNewEvent } from '../embedded/history.ts'
import { factsOf } from '../embedded/run-facts.ts'
import { replayEvents } from '../embedded/shadow-replay.ts'
import { guardRejections } from '../embedded/workflow-scope.ts'
import { checkRun } from '../simulation/model.ts'
import { differenceOf } from '../suite/replay-finished.ts'
import {
  checksumOf,
  checksums,
  type GoldenBundle,
  type GoldenHistory,
  goldenFiles,
  isBundle,
  readGolden,
  runEventsOf,
} from './golden-history.ts'

const files = goldenFiles()
const histories = files.filter((name) => !isBundle(name))
// Definitions that are wrong on purpose: their runs end by being cancelled, and their replay is blocked as they were.
const bugs = new Set(['buggy', 'stuck', 'careless', 'keyed'])

let dir: string
let release: () => void

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kyros-golden-'))
  release = guardRejections()
})

afterAll(async () => {
  release()
  await rm(dir, { recursive: true })
})

async function load(hash: string): Promise<LoadedDefinition> {
  const { source } = readGolden<GoldenBundle>(`bundle-${hash}.json`)
  return loadBundle(hash, await createDefinitionCache(dir).file(hash, async () => source))
}

test('no history that was recorded is changed or gone, and none is missing in the list', () => {
  const now = new Map(files.map((name) => [name, checksumOf(name)]))
  expect(Object.fromEntries(now)).toEqual(Object.fromEntries(checksums()))
})

test('every workflow has a history', () => {
  const workflows = new Set(histories.map((name) => readGolden<GoldenHistory>(name).run.type))
  expect([...workflows]).toEqual(
    expect.arrayContaining(['code_analysis', 'sequence', 'program', 'queued', 'continuing', 'asking']),
  )
  expect(workflows.size).toBeGreaterThan(30)
})

test.each(histories)('%s replays to its commands and its end', async (name) => {
  const { run, events } = readGolden<GoldenHistory>(name)
  const result = await replayEvents(
    runEventsOf(events).map(asNewEvent),
    factsOf(run),
    await load(run.definition),
  )
  if (!bugs.has(run.type)) expect(differenceOf(run, result)).toBeUndefined()
})

test.each(histories)('%s may be gone on with from any point of it', async (name) => {
  const { run, events } = readGolden<GoldenHistory>(name)
  if (bugs.has(run.type)) return
  const loaded = await load(run.definition)
  // Of a run that continued on a newer bundle only the last part ran on this one.
  const from = events.findLastIndex(({ type }) => type === 'run.continued' || type === 'run.started')
  for (let length = from + 1; length <= events.length; length++) {
    const some = runEventsOf(events.slice(0, length)).map(asNewEvent)
    const { outcome, recorded, replayed } = await replayEvents(some, factsOf(run), loaded)
    expect(outcome?.kind === 'blocked' ? outcome.detail : undefined).toBeUndefined()
    expect(replayed.slice(0, recorded.length)).toEqual(recorded)
  }
})

test.each(histories)('%s folds into what it was shown as', (name) => {
  const { run, events } = readGolden<GoldenHistory>(name)
  let state: RunState = emptyRunState
  for (const event of runEventsOf(events)) state = applyToState(state, event)
  const { status, reason, started_at, completed_at, run_seq, steps_total, steps_completed, error } = run
  expect(state).toMatchObject({
    status,
    reason,
    started_at,
    completed_at,
    run_seq,
    steps_total,
    steps_completed,
    error,
  })
  expect(checkRun({ runId: run.id, events, record: run, clocksGoBackMs: 20_000 })).toEqual([])
})
