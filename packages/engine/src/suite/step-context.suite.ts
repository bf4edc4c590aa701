import type { Json } from '@kyros/contract/json'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { askingWorkflows, inlineWorkflows } from '../fixtures/catalogue.ts'
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

  test('each attempt of a run and of its children belongs to the trace of the request, with a span of its own', async () => {
    const seen: (string | undefined)[] = []
    const First: StepFunction = async (input, { traceparent, attempt }) => {
      seen.push(traceparent)
      if (attempt === 1) throw new Error('not yet')
      return input
    }
    const rig = await open({
      steps: { ...plain, First },
      workflows: [...askingWorkflows, ...inlineWorkflows],
    })
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const traceparent = `00-${trace}-00f067aa0ba902b7-01`
    const child = { workflow: 'continuing', input: { parts: 2, sum: 0 } }
    const runs = [
      await submit(rig, 'parent', child, { traceparent }),
      await submit(rig, 'inline_retrying', { initialMs: 5 }, { traceparent }),
    ]
    for (const runId of runs) expect((await ended(rig, runId)).status).toBe('completed')
    // One of the parent, one in each part of the child, and the inline one: twice each.
    expect(seen).toHaveLength(8)
    expect(new Set(seen).size).toBe(8)
    for (const one of seen) expect(one).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`))
    expect(seen).not.toContain(traceparent)
  })

  test('an attempt of a run without a trace has none', async () => {
    const seen: unknown[] = []
    const First: StepFunction = async (_input, { traceparent }) => void seen.push(traceparent)
    const rig = await open({ steps: { ...plain, First } })
    await ended(rig, await submit(rig, 'sequence'))
    expect(seen).toEqual([undefined])
  })
}
