import type { Attempt, Run, Step } from '@kyros/contract/run'
import { expect, test } from 'vitest'
import { positionOf, timelineLayout } from './timeline-layout.ts'

const originMs = Date.parse('2026-01-01T00:00:00.000Z')
const at = (seconds: number) => new Date(originMs + seconds * 1000).toISOString()

function attempt(number: number, from: number, to: number | null, status: Attempt['status']): Attempt {
  const completed_at = to === null ? null : at(to)
  return { attempt: number, status, started_at: at(from), completed_at, error: null, retry_at: null }
}

function step(command: number, fields: Partial<Step>): Step {
  return {
    key: `Step#${command}`,
    name: 'Step',
    kind: 'step',
    command,
    status: 'completed',
    input: null,
    output: null,
    max_attempts: 3,
    scheduled_at: at(0),
    started_at: null,
    completed_at: null,
    fire_at: null,
    attempts: [],
    ...fields,
  }
}

function run(steps: Step[], completed_at: string | null): Run {
  // Only the fields that the layout reads.
  return { created_at: at(0), completed_at, steps } as Run
}

const seconds = (ms: number) => (ms - originMs) / 1000

test('retries are segments of one lane with the waits between them', () => {
  const attempts = [attempt(1, 1, 3, 'failed'), attempt(2, 6, 9, 'completed')]
  const layout = timelineLayout(
    run([step(1, { attempts, started_at: at(1), completed_at: at(9) })], at(10)),
    0,
  )
  const segments = layout.lanes[0]?.segments.map(({ kind, status, fromMs, toMs }) => {
    return [kind, status, seconds(fromMs), seconds(toMs)]
  })
  expect(segments).toEqual([
    ['queued', 'pending', 0, 1],
    ['attempt', 'failed', 1, 3],
    ['backoff', 'pending', 3, 6],
    ['attempt', 'completed', 6, 9],
  ])
  expect(layout.lanes[0]?.durationMs).toBe(8_000)
})

test('what goes on reaches to now', () => {
  const running = step(1, {
    status: 'running',
    started_at: at(0),
    attempts: [attempt(1, 0, null, 'running')],
  })
  const pending = step(2, { status: 'pending', attempts: [attempt(1, 0, 1, 'failed')] })
  const sleeping = step(3, { kind: 'timer', status: 'running', started_at: at(0) })
  const layout = timelineLayout(run([running, pending, sleeping], null), originMs + 20_000)
  expect(layout.lanes.map(({ segments }) => segments.at(-1)).map((last) => [last?.kind, last?.toMs])).toEqual(
    [
      ['attempt', originMs + 20_000],
      ['backoff', originMs + 20_000],
      ['timer', originMs + 20_000],
    ],
  )
})

test('a run at work ends with its latest event when the clock is behind it', () => {
  const attempts = [attempt(1, 1, 3.4, 'completed')]
  const done = step(1, { completed_at: at(3.4), attempts })
  const working = step(2, {
    status: 'running',
    started_at: at(1),
    attempts: [attempt(1, 1, null, 'running')],
  })
  const layout = timelineLayout(run([done, working], null), originMs + 2_700)
  expect(layout.lanes.map(({ segments }) => segments.at(-1)?.toMs)).toEqual([originMs + 3_400, layout.toMs])
})

test('lanes follow the order of the commands, not of the events', () => {
  const layout = timelineLayout(run([step(2, {}), step(1, {})], at(5)), 0)
  expect(layout.lanes.map((lane) => lane.step.command)).toEqual([1, 2])
})

test('an attempt that was cut off shows its lost work before the one that counts', () => {
  const again = { ...attempt(1, 5, 8, 'completed'), earlier_starts: [at(1), at(3)] }
  const layout = timelineLayout(run([step(1, { attempts: [again], completed_at: at(8) })], at(10)), 0)
  const segments = layout.lanes[0]?.segments.map((one) => [one.kind, seconds(one.fromMs), seconds(one.toMs)])
  expect(segments).toEqual([
    ['queued', 0, 1],
    ['cut_off', 1, 3],
    ['cut_off', 3, 5],
    ['attempt', 5, 8],
  ])
})

test('a wider picture has more marks', () => {
  const ticks = (zoom: number) => timelineLayout(run([step(1, {})], at(60)), 0, zoom).ticks.length
  expect([ticks(1), ticks(4)]).toEqual([7, 13])
})

test('waits too short to be seen are left out, work never is', () => {
  const attempts = [attempt(1, 0.001, 0.002, 'completed')]
  const layout = timelineLayout(run([step(1, { attempts })], at(60)), 0)
  expect(layout.lanes[0]?.segments.map(({ kind }) => kind)).toEqual(['attempt'])
})

test.each([
  [0.2, 200],
  [6, 1_000],
  [75, 15_000],
  [3_600, 600_000],
  [86_400 * 3, 12 * 3_600_000],
  [86_400 * 900, 150 * 86_400_000],
])('the marks of a run of %d s are %d ms apart', (length, expectedMs) => {
  const { ticks } = timelineLayout(run([], at(length)), 0)
  expect(ticks[1]?.offsetMs).toBe(expectedMs)
  expect(ticks.length).toBeLessThanOrEqual(7)
})

test('positions are percentages and never leave the picture', () => {
  const layout = timelineLayout(run([], at(10)), 0)
  expect(positionOf(layout, originMs + 2_500)).toBe(25)
  expect(positionOf(layout, originMs - 1)).toBe(0)
  expect(positionOf(layout, originMs + 99_000)).toBe(100)
})
