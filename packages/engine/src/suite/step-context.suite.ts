import type { Json } from '@kyros/contract/json'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { ended, type OpenRig, owner, plain, submit } from './rig.ts'

export function testStepContext(open: OpenRig): void {
  test('a step knows its run, logs, and keeps files with it', async () => {
    const seen: Json[] = []
    const First: StepFunction = async (_input, context) => {
      const { runId, step, attempt, idempotencyKey, principal, artifacts } = context
      seen.push({ runId, step, attempt, idempotencyKey, principal: { ...principal } })
      context.log('info', 'looking')
      const stored = await artifacts.put('report.md', 'text/markdown', '# Report')
      const back = await artifacts.get('report.md')
      return { bytes: stored.bytes, back: Buffer.from(back ?? []).toString() }
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'retrying')
    expect((await ended(rig, runId)).result).toEqual({ bytes: 8, back: '# Report' })
    expect(seen).toEqual([
      { runId, step: 'First', attempt: 1, idempotencyKey: `${runId}/First`, principal: { ...owner } },
    ])
    const lines = await rig.store.logs.list(runId, { after: 0, limit: 10 })
    expect(lines).toMatchObject([{ message: 'looking', step: 'First', attempt: 1 }])
    expect(await rig.store.artifacts.list(runId)).toMatchObject([{ name: 'report.md', bytes: 8 }])
  })
}
