import { StepError } from '@kyros/workflows/step-error'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { ended, type OpenRig, owner, plain, record, submit } from './rig.ts'

export function testSubmission(open: OpenRig): void {
  test('a job without a workflow waits for an agent, also after a restart, until it is cancelled', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, null)
    await rig.restart()
    const run = await record(rig, runId)
    expect(run).toMatchObject({ status: 'waiting', reason: 'agent_missing' })
    expect(run.reason_detail).toContain('no agents can be set up yet')
    expect((await rig.engine.why(runId)).waits_for).toMatchObject([{ kind: 'agent_missing' }])
    await rig.engine.cancel(runId, 'never mind', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
  })

  test('an unknown workflow is refused with the names of the known ones', async () => {
    const rig = await open({ steps: plain })
    await expect(submit(rig, 'unheard_of')).rejects.toMatchObject({
      code: 'workflow_unknown',
      message: expect.stringContaining('sequence'),
    })
  })

  test('an input that does not fit is refused with the path of every fault', async () => {
    const inputSchema = {
      type: 'object',
      required: ['ms'],
      properties: { ms: { type: 'integer', minimum: 0 } },
    }
    const workflows = [{ ...testWorkflow('sleeping'), inputSchema }]
    const rig = await open({ steps: plain, workflows })
    await expect(submit(rig, 'sleeping', { ms: 'soon' })).rejects.toMatchObject({
      code: 'workflow_input_invalid',
      errors: [{ path: '/input/ms', message: expect.any(String) }],
    })
    expect((await ended(rig, await submit(rig, 'sleeping', { ms: 1 }))).status).toBe('completed')
  })

  test('a retry is a new run of the same job with the same input', async () => {
    let calls = 0
    const First: StepFunction = async (input) => {
      calls += 1
      if (calls === 1) throw new StepError('odd', 'once', { retryable: false })
      return input
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'retrying', 'again')
    const failed = await ended(rig, runId)
    expect(failed.status).toBe('failed')
    const next = rig.newId()
    await rig.engine.retry(failed.job_id, { runId: next, principal: owner, timeMs: Date.now() })
    expect(await ended(rig, next)).toMatchObject({ status: 'completed', attempt: 2, result: 'again' })
  })

  test('a run that has not ended cannot be tried again', async () => {
    const rig = await open({ steps: plain })
    const runId = await submit(rig, null)
    const { job_id } = await record(rig, runId)
    const next = { runId: rig.newId(), principal: owner, timeMs: Date.now() }
    await expect(rig.engine.retry(job_id, next)).rejects.toMatchObject({ code: 'run_not_ended' })
    await expect(rig.engine.retry(rig.newId(), next)).rejects.toMatchObject({ code: 'run_not_found' })
  })

  test('a run that does not exist cannot be reached', async () => {
    const rig = await open({ steps: plain })
    const missing = { code: 'run_not_found' }
    await expect(rig.engine.cancel(rig.newId(), 'x', owner)).rejects.toMatchObject(missing)
    await expect(rig.engine.signal(rig.newId(), 'x', null, owner)).rejects.toMatchObject(missing)
    await expect(rig.engine.why(rig.newId())).rejects.toMatchObject(missing)
  })

  test('the engine says which workflows it has and how it is', async () => {
    const rig = await open({ steps: plain })
    const sequence = rig.engine.workflows().find((workflow) => workflow.name === 'sequence')
    expect(sequence?.definition).toMatch(/^[0-9a-f]{64}$/)
    expect(rig.engine.health().status).toBe('healthy')
  })
}
