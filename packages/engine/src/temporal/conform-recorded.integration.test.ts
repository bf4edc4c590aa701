import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { recordedHistories } from '../golden/recorded-histories.ts'
import { conform } from './conform.ts'
import type { ConformHistory } from './read-conform-history.ts'

const timeout = 120_000
const recorder = new URL('../simulation/record-histories.ts', import.meta.url).pathname
const seeds = 100

test('every history that comes with Kyros replays, and they are of every wait there is', {
  timeout,
}, async () => {
  const histories = recordedHistories()
  const kinds = new Set(histories.flatMap(({ events }) => events.map(({ type }) => type)))
  expect([...kinds]).toEqual(
    expect.arrayContaining([
      ...['step.failed', 'timer.fired', 'signal.received', 'waitpoint.expired', 'child.completed'],
      ...['update.completed', 'value.recorded', 'attributes.set', 'run.continued', 'run.cancelled'],
    ]),
  )
  const results = await conform({ histories })
  expect(results.filter(({ ok }) => !ok)).toEqual([])
  expect(results.length).toBe(histories.length)
})

test('runs of random programs, with crashes, outages and cancellations, replay', { timeout }, async () => {
  // In a process of its own: the simulation replaces its globals.
  const { stdout } = await promisify(execFile)(process.execPath, [recorder, '--seeds', String(seeds)], {
    timeout,
    maxBuffer: 64 * 1024 * 1024,
  })
  const lines: { seed: number; history: ConformHistory }[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const results = await conform({ histories: lines.map(({ history }) => history) })
  const differing = results.flatMap((result, index) =>
    result.ok ? [] : [{ seed: lines[index]?.seed, message: result.message }],
  )
  expect(differing).toEqual([])
  expect(results.length).toBeGreaterThan(seeds)
})

test('a definition that was changed under the same name is caught', {
  timeout,
}, async () => {
  const [recorded] = recordedHistories('parallel')
  if (recorded === undefined) throw new Error('There is no recorded history of parallel.')
  const [same] = await conform({ histories: [recorded] })
  expect(same).toMatchObject({ ok: true })
  const planted = {
    ...recorded,
    definition: 'planted',
    source: recorded.source.replace(/\.First\(/g, '.Second('),
  }
  expect(planted.source).not.toBe(recorded.source)
  const [result] = await conform({ histories: [planted] })
  expect(result).toMatchObject({
    ok: false,
    message: expect.stringMatching(/^The history holds step First.*, the definition asks for step Second/),
  })
})
