import type { Event } from '@kyros/contract/event'
import type { RunMetrics } from '@kyros/contract/job'
import type { Run } from '@kyros/contract/run'
import type { NewRunEvent } from '@kyros/store/command'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

const time = Date.parse('2026-01-31T08:00:00.000Z')

function stepEvents(command: number): NewRunEvent[] {
  const step = { step: 'Count', key: `Count:${command}`, command }
  return [
    { type: 'step.scheduled', timeMs: time, data: { ...step, input: command, max_attempts: 1 } },
    { type: 'step.completed', timeMs: time + command, data: { ...step, attempt: 1, output: command } },
  ]
}

/** A run that no engine takes up, with as many steps in its log. */
async function longRun(steps: number): Promise<string> {
  const { run_id } = await platform.submit({ title: 'long' })
  for (let from = 1; from <= steps; from += 500) {
    const count = Math.min(500, steps - from + 1)
    const events = Array.from({ length: count }, (_, index) => stepEvents(from + index)).flat()
    await platform.store.write({ kind: 'append_run_events', runId: run_id, events })
  }
  return run_id
}

const getRun = async (path: string) => (await platform.get(`/api/v1/workflows/${path}`)).json<Run>()

test('of more steps than an answer holds the latest are shown, and the others are counted', async () => {
  const id = await longRun(2_003)
  const run = await getRun(id)
  expect(run.steps).toHaveLength(2_000)
  expect(run.steps[0]?.command).toBe(4)
  expect(run).toMatchObject({ steps_omitted: 3, steps_total: 2_003 })
  expect(run.events_url).toBe(`/api/v1/workflows/${id}/events`)
  expect((await platform.get(run.events_url ?? '')).statusCode).toBe(200)
  const metrics = (await platform.get(`/api/v1/workflows/${id}/metrics`)).json<RunMetrics>()
  expect(metrics).toMatchObject({ steps_omitted: 3 })
  const few = await getRun(`${id}?as_of=${run.last_seq - 100}`)
  expect(few).not.toHaveProperty('events_url')
  expect(few.steps_completed).toBe(few.steps.filter(({ status }) => status === 'completed').length)
})

test('a history that is too long to read for an answer is known by its end and its record', async () => {
  const id = await longRun(5_200)
  const run = await getRun(id)
  expect(run).toMatchObject({ steps_total: 5_200, steps_completed: 5_200, steps_omitted: 3_200 })
  expect(run.steps.at(-1)).toMatchObject({ command: 5_200, status: 'completed', output: 5_200 })
  const before = await getRun(`${id}?as_of=${run.last_seq - 2}`)
  expect(before).toMatchObject({ steps_total: 5_199, steps_completed: 5_199, steps_omitted: 3_199 })
  const history = (await platform.get(`/api/v1/workflows/${id}/history`)).json()
  expect(history.events.at(-1)).toMatchObject({ run_seq: run.run_seq, type: 'step.completed' })
  expect(history.events).toHaveLength(run.run_seq)
})

test('the history has large values in the place of references to them', async () => {
  const { id } = await platform.submit({ workflow: 'fill', input: { bytes: 200_000 } })
  const { run_id, result } = await platform.awaitEnd(id)
  const answer = await platform.get(`/api/v1/workflows/${run_id}/history`)
  expect(answer.headers['content-type']).toContain('application/json')
  const { run, events }: { run: Run; events: Event[] } = answer.json()
  expect(run.result).toEqual(result)
  const completed = events.filter(({ type }) => type.endsWith('.completed'))
  expect(completed.map(({ data }) => data.output ?? data.result)).toEqual([result, result])
})
