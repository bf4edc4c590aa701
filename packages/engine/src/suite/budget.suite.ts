import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import type { Engine } from '../engine.ts'
import { askingWorkflow } from '../fixtures/catalogue.ts'
import { operationsWorkflow } from '../fixtures/operations-catalogue.ts'
import {
  ended,
  eventTypes,
  gate,
  type OpenRig,
  owner,
  plain,
  submit,
  until,
  untilAborted,
  waiting,
} from './rig.ts'

const workflows = ['budgeted', 'budgeted_fail', 'budgeted_time'].map((name) => operationsWorkflow(name))

export function testBudget(open: OpenRig): void {
  /** A first step that uses so much of its run's budget. */
  const using = (used: { tokens?: number; costUsd?: number }) => {
    const at: { engine?: Engine } = {}
    const First: StepFunction = async (input, { runId }) => {
      await at.engine?.reportUsage(runId, used)
      return input
    }
    return { at, steps: { ...plain, First } }
  }

  test('a run that has used its budget parks before its next step, and goes on when it is raised', async () => {
    const { at, steps } = using({ tokens: 120 })
    const rig = await open({ steps, workflows })
    at.engine = rig.engine
    const runId = await submit(rig, 'budgeted', 'x')
    const parked = await waiting(rig, runId, 'budget_exceeded')
    expect(parked).toMatchObject({
      reason_detail: 'It has used 120 of 100 tokens.',
      budget: { used_tokens: 120 },
      steps_completed: 1,
    })
    expect(await rig.engine.why(runId)).toMatchObject({
      waits_for: [{ kind: 'budget_exceeded', name: 'tokens' }],
      what_would_move_it: expect.stringContaining('Raise'),
    })
    await rig.restart()
    at.engine = rig.engine
    await rig.engine.setBudget(runId, { tokens: 110 }, owner)
    await until(
      () => rig.store.runs.get(runId),
      (run) => run?.reason_detail === 'It has used 120 of 110 tokens.',
    )
    await rig.engine.setBudget(runId, { tokens: 200 }, owner)
    expect((await ended(rig, runId)).result).toEqual(['x', 'x'])
    expect(await eventTypes(rig, runId)).toContain('run.budget_set')
  })

  test('a workflow may want its run to fail when the budget is used', async () => {
    const { at, steps } = using({ costUsd: 1.5 })
    const rig = await open({ steps, workflows })
    at.engine = rig.engine
    expect(await ended(rig, await submit(rig, 'budgeted_fail', 'x'))).toMatchObject({
      status: 'failed',
      reason: 'budget_exceeded',
      error: { code: 'budget_exceeded', message: expect.stringContaining('$1.50 of $1.00') },
    })
  })

  test('the time of attempts counts on in the next part of a run', async () => {
    const [began, go] = [gate(), gate()]
    let steps = 0
    const First: StepFunction = async (input) => {
      steps += 1
      began.open()
      await go.opened
      await sleep(110)
      return input
    }
    const rig = await open({ steps: { ...plain, First }, workflows: [askingWorkflow('continuing')] })
    const runId = await submit(rig, 'continuing', { parts: 2, sum: 0 })
    await began.opened
    await rig.engine.setBudget(runId, { timeMs: 100 }, owner)
    go.open()
    const parked = await waiting(rig, runId, 'budget_exceeded')
    expect(parked.reason_detail).toBe('It was active for its 100 ms.')
    expect(steps).toBe(1)
    expect(await eventTypes(rig, runId)).toContain('run.continued')
    await rig.engine.setBudget(runId, { timeMs: 600_000 }, owner)
    expect((await ended(rig, runId)).result).toMatchObject({ sum: 3, part: 1 })
  })

  test('the time of attempts is limited, and waiting costs nothing', async () => {
    const First: StepFunction = async (_input, { signal }) => untilAborted(signal)
    const rig = await open({ steps: { ...plain, First }, workflows })
    expect(await ended(rig, await submit(rig, 'budgeted_time'))).toMatchObject({
      status: 'failed',
      reason: 'budget_exceeded',
    })
    await rig.restart({ steps: plain })
    expect((await ended(rig, await submit(rig, 'budgeted_time', 1))).status).toBe('completed')
  })

  test('a limit may be set for a run whose workflow has none', async () => {
    const { at, steps } = using({ tokens: 5 })
    const rig = await open({ steps })
    const runId = await submit(rig, 'sequence', 'x', { runAtMs: Date.now() + 600 })
    at.engine = rig.engine
    await rig.engine.setBudget(runId, { tokens: 5 }, owner)
    await waiting(rig, runId, 'budget_exceeded')
    await rig.engine.cancel(runId, 'enough', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
    await expect(rig.engine.reportUsage(runId, { tokens: 1 })).rejects.toMatchObject({ code: 'run_ended' })
  })
}
