import { setTimeout as delay } from 'node:timers/promises'
import type { Json } from '@kyros/contract/json'
import { StepError } from '@kyros/workflows/step-error'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { inlineWorkflows as workflows } from '../fixtures/catalogue.ts'
import {
  type EngineRig,
  ended,
  gate,
  type OpenRig,
  owner,
  plain,
  submit,
  untilAborted,
  waiting,
} from './rig.ts'

/** What the log says of the steps of a run: each event with the attempt that it is of. */
async function told(rig: EngineRig, runId: string): Promise<string[]> {
  return (await rig.store.events.ofRun(runId)).flatMap(({ type, data }) =>
    type.startsWith('step.')
      ? [`${type.slice(5)} ${data.key} ${data.attempt ?? data.mode ?? ''}`.trim()]
      : [],
  )
}

const whole = (key: string) => [`scheduled ${key} inline`, `started ${key} 1`, `completed ${key} 1`]

export function testInline(open: OpenRig): void {
  test('inline steps one after the other are told like any others, with their times', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await submit(rig, 'inline_sequence', 'in')
    expect(await ended(rig, runId)).toMatchObject({ status: 'completed', result: ['in', 'in', 'in'] })
    expect(await told(rig, runId)).toEqual([...whole('First'), ...whole('Second'), ...whole('First#2')])
    const times = (await rig.store.events.ofRun(runId)).map(({ time }) => Date.parse(time))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  test('inline steps that are asked for at once, beside others, all end', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await submit(rig, 'inline_beside', 'in')
    expect((await ended(rig, runId)).result).toEqual(['in', 'in', 'in', 'after'])
    expect((await told(rig, runId)).toSorted()).toEqual(
      [...whole('First'), ...whole('Second'), ...whole('Second#2'), 'scheduled Third', 'started Third 1']
        .concat('completed Third 1')
        .toSorted(),
    )
  })

  test.each([0, 40])('an inline step that fails is tried again after %i ms', async (initialMs) => {
    const First: StepFunction = async (input, { attempt }) => {
      if (attempt < 3) throw new Error('not yet')
      return input
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'inline_retrying', { initialMs })
    expect((await ended(rig, runId)).result).toBe('in')
    const failed = [1, 2, 3].flatMap((attempt) => [`started First ${attempt}`, `failed First ${attempt}`])
    expect(await told(rig, runId)).toEqual([
      ...['scheduled First inline', ...failed.slice(0, -1), 'completed First 3'],
    ])
    const events = await rig.store.events.ofRun(runId)
    const errors = events.filter(({ type }) => type === 'step.failed').map(({ data }) => data)
    const error = { code: 'step_error', message: 'not yet', retryable: true }
    expect(errors).toMatchObject([
      { error, retry_at: expect.any(String) },
      { error, retry_at: expect.any(String) },
    ])
  })

  test('an inline step whose error is not retryable ends its run at once', async () => {
    const First: StepFunction = async () => {
      throw new StepError('not_there', 'Nothing found.', { retryable: false })
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'inline_retrying', { initialMs: 5 })
    const error = { code: 'not_there', message: 'Nothing found.' }
    expect(await ended(rig, runId)).toMatchObject({ status: 'failed', reason: 'step_failed', error })
    expect(await told(rig, runId)).toEqual(['scheduled First inline', 'started First 1', 'failed First 1'])
  })

  test('an inline step that takes longer than its limit is a failed attempt', async () => {
    let attempts = 0
    const First: StepFunction = async (input, { signal }) => {
      attempts += 1
      return attempts === 1 ? untilAborted(signal) : input
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'inline_retrying', { initialMs: 5 })
    expect((await ended(rig, runId)).result).toBe('in')
    const failed = (await rig.store.events.ofRun(runId)).find(({ type }) => type === 'step.failed')
    expect(failed?.data.error).toMatchObject({
      code: 'step_timed_out',
      message: expect.stringMatching(/1000 ms/),
    })
  })

  test('a run with many inline steps one after the other ends as fast as it can', async () => {
    const seen: Json[] = []
    const First: StepFunction = async (input) => {
      seen.push(input as Json)
      return input
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'inline_long', { rounds: 12 })
    expect((await ended(rig, runId)).result).toBe(78)
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })

  test('each line of a run with inline steps at once keeps its own results over a restart', async () => {
    const First: StepFunction = async (input) => {
      await delay(input === 'a' ? 10 : 60)
      return input
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'inline_waiting', 'in')
    await waiting(rig, runId, 'signal')
    await rig.restart()
    await rig.engine.signal(runId, 'go', null, owner)
    expect((await ended(rig, runId)).result).toEqual(['a', 'b', 'in', 'after'])
  })

  test('a run that ends without its inline step says that it was left', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await submit(rig, 'inline_left', 'in')
    expect((await ended(rig, runId)).result).toBe('left')
    const log = await told(rig, runId)
    expect([log[0], log.at(-1)]).toEqual([
      'scheduled First inline',
      expect.stringMatching(/^cancelled First/),
    ])
  })

  test('an inline step that is cancelled where it was asked for is told as cancelled', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await submit(rig, 'inline_cancelled', 'in')
    expect((await ended(rig, runId)).result).toEqual(['cancelled', 'in'])
    expect((await told(rig, runId)).at(-1)).toBe('completed Second 1')
  })

  test('an inline step goes on elsewhere when the process that does it stops', async () => {
    const [began, go] = [gate(), gate()]
    const First: StepFunction = async (input, { signal, attempt }) => {
      began.open()
      await Promise.race([go.opened, untilAborted(signal)])
      return [input as Json, attempt]
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'inline_retrying', { initialMs: 5 })
    await began.opened
    await rig.restart()
    go.open()
    expect((await ended(rig, runId)).result).toEqual(['in', 1])
  })

  test('a run waits for a worker when nobody does its inline step', async () => {
    const { First: _, ...others } = plain
    const rig = await open({ steps: others, workflows })
    const runId = await submit(rig, 'inline_sequence', 'in')
    expect((await waiting(rig, runId, 'worker_missing')).reason_detail).toMatch(
      /Nothing here does the step First/,
    )
    await rig.restart({ steps: plain })
    expect((await ended(rig, runId)).result).toEqual(['in', 'in', 'in'])
  })

  test('a run that is cancelled does not go on after its inline step', async () => {
    const began = gate()
    const First: StepFunction = async (_input, { signal }) => {
      began.open()
      return untilAborted(signal)
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'inline_sequence', 'in')
    await began.opened
    await rig.engine.cancel(runId, 'enough', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
    expect(await told(rig, runId)).not.toContain('scheduled Second inline')
  })
}
