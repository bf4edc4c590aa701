import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DefinitionError } from '../definitions/fault.ts'
import { replayHistory } from './replay-history.ts'
import { TestKit } from './test-kit.ts'
import { RunNotCompleted } from './test-run.ts'

const trial = new URL('../fixtures/authored/trial.workflow.ts', import.meta.url)
const dayMs = 24 * 3_600_000

let kit: TestKit

beforeEach(async () => {
  kit = await TestKit.open()
})

afterEach(() => kit.close())

test('a month passes in a moment, and exactly', async () => {
  const run = await kit.start(trial, { days: 30 })
  expect(await run.record()).toMatchObject({ status: 'waiting', reason: 'timer' })
  expect(await run.result()).toEqual({ limit: 1, tookMs: 30 * dayMs })
  expect(kit.nowMs()).toBe(Date.UTC(2030, 0, 31))
  expect(await run.steps()).toEqual([
    { step: 'Welcome', key: 'Welcome', attempt: 1, output: 'Welcome, 1 for you' },
  ])
})

test('time that passes part of the way ends nothing early', async () => {
  const run = await kit.start(trial, { days: 2 })
  await kit.advance(2 * dayMs - 1)
  expect(await run.record()).toMatchObject({ status: 'waiting' })
  await kit.advance(1)
  expect(await run.record()).toMatchObject({ status: 'completed' })
})

test('a fake in the place of a step fails, is tried again by the policy, and is seen', async () => {
  let tries = 0
  const Welcome = () => {
    tries += 1
    if (tries < 3) throw Object.assign(new Error('busy'), { code: 'mail_busy' })
    return 'at last'
  }
  const run = await kit.start(trial, { days: 1 }, { steps: { Welcome } })
  await run.result()
  expect((await run.steps()).map(({ attempt, output, error }) => [attempt, output ?? error])).toEqual([
    [1, 'mail_busy'],
    [2, 'mail_busy'],
    [3, 'at last'],
  ])
})

test('what is too large for the log is seen as it was, and its history replays', async () => {
  const large = 'x'.repeat(70_000)
  const run = await kit.start(trial, { days: 1 }, { steps: { Welcome: () => large } })
  await run.result()
  expect(await run.steps()).toMatchObject([{ output: large }])
  expect(await replayHistory(trial, await run.history())).toMatchObject({ ok: true })
})

test('a step that never ends is cut off when its time has passed', async () => {
  const Welcome = () => new Promise(() => {})
  const run = await kit.start(trial, { days: 1 }, { steps: { Welcome } })
  await kit.advance(60_000)
  await expect(run.result()).rejects.toThrow(/^The run is failed \(step_failed\): .*5000 ms/)
  expect((await run.steps()).map(({ error }) => error)).toEqual(Array(3).fill('step_timed_out'))
})

test('a run that only a message can move says which, whatever time there is', async () => {
  const run = await kit.start(trial, { days: 0 })
  const waits = run.result()
  await expect(waits).rejects.toThrow(RunNotCompleted)
  await expect(waits).rejects.toThrow(/^The run is waiting \(signal\): it waits for signal/)
  await run.signal('end')
  expect(await run.result()).toMatchObject({ limit: 1 })
})

test('a query looks, an update changes, and one that is refused leaves no trace', async () => {
  const run = await kit.start(trial, { days: 1 })
  expect(await run.query('limit')).toBe(1)
  expect(await run.update('raise', 4)).toBe(5)
  await expect(run.update('raise', -1)).rejects.toMatchObject({ code: 'update_rejected' })
  await expect(run.query('nothing')).rejects.toMatchObject({ code: 'query_unknown' })
  expect(await run.query('limit')).toBe(5)
  expect(await run.result()).toMatchObject({ limit: 5 })
})

test('a child of another file runs, and a waitpoint is answered by the token that a step was given', async () => {
  const asking = new URL('../fixtures/authored/asking.workflow.ts', import.meta.url)
  await kit.load(trial)
  let token = ''
  const Ask = (given: { token: string }) => {
    token = given.token
    return null
  }
  const run = await kit.start(asking, null, { steps: { Ask } })
  await run.completeWaitpoint(token, { days: 3 })
  expect(await run.result()).toEqual({ limit: 1, tookMs: 3 * dayMs })
})

test('a cancelled run has no result', async () => {
  const run = await kit.start(trial, { days: 1 })
  await run.cancel()
  await expect(run.result()).rejects.toThrow('The run is cancelled')
})

test('an input that does not fit the schema starts nothing', async () => {
  await expect(kit.start(trial, { days: 'many' })).rejects.toMatchObject({ code: 'workflow_input_invalid' })
})

test('a definition that cannot be used is refused as a server refuses it', async () => {
  const bad = new URL('../fixtures/authored/none.workflow.ts', import.meta.url)
  await expect(kit.start(bad, null)).rejects.toThrow(DefinitionError)
})

test('a history replays on its definition, and on another one both sides of the difference are told', async () => {
  const run = await kit.start(trial, { days: 1 })
  await run.result()
  const history = await run.history()
  expect(await replayHistory(trial, history)).toEqual({ ok: true, outcome: 'completed' })

  const changed = new URL('../fixtures/authored/trial-changed.workflow.ts', import.meta.url)
  const replayed = await replayHistory(changed, history)
  expect(replayed).toMatchObject({
    ok: false,
    detail: expect.stringMatching(
      /Command 1: the history holds step Welcome, the definition asks for step Check/,
    ),
    differs: { command: 1, recorded: 'step Welcome', asked: 'step Check' },
    recorded: ['step Welcome Welcome', 'timer sleep'],
    replayed: [],
  })
})

test('a history is read from the file that kyros runs history writes, and a file that holds none is refused', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-history-'))
  const run = await kit.start(trial, { days: 0 })
  const path = join(dir, 'run.json')
  await writeFile(path, JSON.stringify(await run.history()))
  expect(await replayHistory(trial, path)).toEqual({ ok: true, outcome: 'waits' })
  await writeFile(path, '{}')
  await expect(replayHistory(trial, pathToFileURL(path))).rejects.toThrow(/run\.json holds no history/)
  await rm(dir, { recursive: true })
})
