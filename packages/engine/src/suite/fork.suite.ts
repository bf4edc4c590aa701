import type { Json } from '@kyros/contract/json'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { operationsWorkflow } from '../fixtures/operations-catalogue.ts'
import { type EngineRig, ended, eventTypes, gate, type OpenRig, owner, plain, record, submit } from './rig.ts'

const shorter = operationsWorkflow('growing', 'shorter')
const longer = operationsWorkflow('growing', 'longer')

export function testFork(open: OpenRig): void {
  const fork = async (rig: EngineRig, runId: string, fromStep: string, job = true) => {
    const forked = rig.newId()
    const ids = { runId: forked, ...(job ? { jobId: rig.newId() } : {}) }
    await rig.engine.fork(runId, { fromStep, ...ids, principal: owner, timeMs: Date.now() })
    return forked
  }
  const counted = () => {
    const done: string[] = []
    const counting: StepFunction = async (input: Json, { runId, step }) => {
      done.push(`${runId} ${step}`)
      return input
    }
    return { done, steps: { ...plain, First: counting, Second: counting, Third: counting } }
  }

  test('a fork has the results before its step and does the rest itself', async () => {
    const { done, steps } = counted()
    const rig = await open({ steps })
    const runId = await submit(rig, 'sequence', 7)
    await ended(rig, runId)
    const forked = await fork(rig, runId, 'Second')
    expect(await ended(rig, forked)).toMatchObject({
      status: 'completed',
      result: [7, 7, 7],
      forked_from: { run_id: runId, step: 'Second' },
      attempt: 1,
    })
    expect(done.filter((one) => one.startsWith(forked))).toEqual([`${forked} Second`, `${forked} Third`])
    expect((await eventTypes(rig, forked)).slice(0, 3)).toEqual(['run.created', 'run.forked', 'run.started'])
    expect((await record(rig, forked)).job_id).not.toBe((await record(rig, runId)).job_id)
    await expect(fork(rig, runId, 'Fourth')).rejects.toMatchObject({
      code: 'run_step_not_found',
      message: expect.stringContaining('First, Second, Third'),
    })
  })

  test('a fork joins the job of a run that has ended, and does not before', async () => {
    const [began, go] = [gate(), gate()]
    const Second: StepFunction = async (input) => {
      began.open()
      await go.opened
      return input
    }
    const rig = await open({ steps: { ...plain, Second } })
    const runId = await submit(rig, 'sequence', 1)
    await began.opened
    await expect(fork(rig, runId, 'Second', false)).rejects.toMatchObject({ code: 'run_not_ended' })
    go.open()
    const { job_id } = await ended(rig, runId)
    const forked = await fork(rig, runId, 'Second', false)
    expect(await ended(rig, forked)).toMatchObject({ job_id, attempt: 2, result: [1, 1, 1] })
  })

  test('a fork takes the newest definition that replays what it takes over', async () => {
    const rig = await open({ steps: plain, workflows: [shorter] })
    const runId = await submit(rig, 'growing', 2)
    expect((await ended(rig, runId)).result).toEqual([2, 2])
    await rig.restart({ workflows: [longer] })
    const forked = await fork(rig, runId, 'Second')
    expect((await ended(rig, forked)).result).toEqual([2, 2, 2])
  })

  test('a fork goes on after a restart, with payloads that are kept beside the log', async () => {
    const large = 'x'.repeat(100_000)
    const began = gate()
    const Second: StepFunction = async () => {
      began.open()
      return new Promise(() => {})
    }
    const rig = await open({ steps: { ...plain, First: async () => large, Second } })
    const runId = await submit(rig, 'sequence')
    await began.opened
    const forked = await fork(rig, runId, 'Second')
    await rig.restart({ steps: { ...plain, Second: async (input: Json) => String(input).length } })
    expect((await ended(rig, forked)).result).toEqual([large, 100_000, 100_000])
    await ended(rig, runId)
  })
}
