import { setTimeout as delay } from 'node:timers/promises'
import type { Json } from '@kyros/contract/json'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { ended, eventTypes, gate, type OpenRig, plain, submit, untilAborted } from './rig.ts'

export function testOrder(open: OpenRig): void {
  test('steps in sequence hand on their results', async () => {
    const rig = await open({ steps: { ...plain, Second: async (input: Json) => `${input}!` } })
    const run = await ended(rig, await submit(rig, 'sequence', 'hello'))
    expect(run).toMatchObject({
      status: 'completed',
      result: ['hello', 'hello!', 'hello!'],
      steps_completed: 3,
    })
  })

  test('steps in parallel run at the same time', async () => {
    const [first, second] = [gate(), gate()]
    const meet = (mine: ReturnType<typeof gate>, other: ReturnType<typeof gate>) => async () => {
      mine.arrive()
      await other.came
      return null
    }
    const rig = await open({ steps: { ...plain, First: meet(first, second), Second: meet(second, first) } })
    const run = await ended(rig, await submit(rig, 'parallel', 1))
    expect(run).toMatchObject({ status: 'completed', result: [null, null, 1] })
  })

  test('results reach the definition in the order of the log', async () => {
    const after = (ms: number) => async () => {
      await delay(ms)
      return null
    }
    const rig = await open({
      steps: { ...plain, First: after(600), Second: after(300), Third: after(1) },
      maxAttempts: 3,
    })
    const run = await ended(rig, await submit(rig, 'race'))
    expect(run.result).toEqual({ winner: 2, order: ['Third', 'Second', 'First'] })
  })

  test('a step that the definition no longer waits for is cancelled when the run ends', async () => {
    const [began, stopped] = [gate(), gate()]
    const slow: StepFunction = async (_input, { signal }) => {
      began.open()
      await untilAborted(signal).catch(() => stopped.open())
      return null
    }
    const Second: StepFunction = async (input) => {
      await began.opened
      return input
    }
    const rig = await open({ steps: { ...plain, First: slow, Second } })
    const runId = await submit(rig, 'abandoning', 'fast')
    expect((await ended(rig, runId)).result).toBe('fast')
    await stopped.opened
    expect((await eventTypes(rig, runId)).slice(-2)).toEqual(['step.cancelled', 'run.completed'])
  })

  test('more steps than slots all run, never more at once than allowed', async () => {
    let now = 0
    let most = 0
    const First: StepFunction = async (input) => {
      now += 1
      most = Math.max(most, now)
      await delay(2)
      now -= 1
      return input
    }
    const rig = await open({ steps: { ...plain, First }, maxAttempts: 3 })
    const run = await ended(rig, await submit(rig, 'wide', { count: 20 }))
    expect(run.result).toBe(20)
    expect(most).toBe(3)
  })

  test('time, dice and the log of a definition come from the run', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, 'dice')
    const run = await ended(rig, runId)
    expect(run.status).toBe('completed')
    const lines = await rig.store.logs.list(runId, { after: 0, limit: 10 })
    expect(lines.map((line) => line.message)).toEqual(['before the step', 'after the step'])
  })
}
