import type { Json } from '@kyros/contract/json'
import type { RunRecord } from '@kyros/store/store'
import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { askingWorkflows as workflows } from '../fixtures/catalogue.ts'
import {
  type EngineRig,
  ended,
  eventTypes,
  type OpenRig,
  owner,
  plain,
  submit,
  until,
  waiting,
} from './rig.ts'

/** The run of the first child of a run. */
async function childOf(rig: EngineRig, runId: string): Promise<RunRecord> {
  const read = async () => {
    const events = await rig.store.events.ofRun(runId)
    const started = events.find(({ type }) => type === 'child.started')
    return started === undefined ? undefined : rig.store.runs.get(String(started.data.run_id))
  }
  const child = await until(read, (found) => found !== undefined)
  if (child === undefined) throw new Error('no child')
  return child
}

export function testChildren(open: OpenRig): void {
  test('a child is a run of its own, whose result its parent gets', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await submit(rig, 'parent', { workflow: 'sequence', input: 7 })
    expect((await ended(rig, runId)).result).toEqual({ result: [7, 7, 7], after: 'after' })
    const child = await childOf(rig, runId)
    expect(child).toMatchObject({ status: 'completed', type: 'sequence', created_by: owner.id })
    const created = (await rig.store.events.ofRun(child.id))[0]
    expect(created?.data).toMatchObject({ parent: { run_id: runId, command: 2 } })
  })

  test.each([
    ['fails', { workflow: 'refusing', input: null }, { code: 'order_refused' }],
    ['is of no workflow here', { workflow: 'nobody_knows', input: null }, { code: 'workflow_unknown' }],
  ])('a child that %s fails where it is waited for', async (_name, input, result) => {
    const rig = await open({ steps: plain, workflows })
    expect((await ended(rig, await submit(rig, 'parent', input))).result).toMatchObject(result)
  })

  test('children nest only so deep, and keep a title that can be read', async () => {
    const rig = await open({ steps: plain, workflows })
    let input: Json = null
    for (let depth = 0; depth < 40; depth++) input = { workflow: 'parent', input }
    const { result } = await ended(rig, await submit(rig, 'parent', input))
    expect(JSON.stringify(result)).toContain('child_too_deep')
    const { items } = await rig.store.jobs.list({ limit: 200 })
    const titles = items.map(({ title }) => title).filter((title) => title.endsWith(': parent'))
    const deepest = Math.max(...titles.map((title) => title.split(': ').length - 1))
    expect(deepest).toBe(32)
  })

  test('a child that is cancelled from outside fails where it is waited for', async () => {
    const rig = await open({ steps: plain, workflows })
    const runId = await submit(rig, 'parent', { workflow: 'napping', input: { ms: 60_000 } })
    const run = await waiting(rig, runId, 'child')
    const child = await childOf(rig, runId)
    expect(run.reason_detail).toContain(child.id)
    await waiting(rig, child.id, 'timer')
    await rig.engine.cancel(child.id, 'enough', owner)
    expect((await ended(rig, runId)).result).toEqual({
      code: 'child_cancelled',
      message: 'The child was cancelled: enough',
    })
  })

  test('a parent and its child go on over a restart, and over the end of the child without its parent', async () => {
    let calls = 0
    const First: StepFunction = async (input) => {
      calls += 1
      return input
    }
    const rig = await open({ steps: { ...plain, First }, workflows })
    const runId = await submit(rig, 'parent', { workflow: 'napping', input: { ms: 500 } })
    await waiting(rig, runId, 'child')
    await rig.restart()
    expect((await ended(rig, runId)).result).toEqual({ result: 'rested', after: 'after' })
    expect(calls).toBe(1)
    expect((await eventTypes(rig, runId)).filter((type) => type.startsWith('child.'))).toEqual([
      'child.started',
      'child.completed',
    ])
  })

  test.each([
    ['request_cancel', 'cancelled', ['woken']],
    ['cancel', 'cancelled', []],
  ] as const)('a child whose parent is cancelled is ended by %s', async (close, status, cleanedUp) => {
    const cleaned: unknown[] = []
    const CleanUp: StepFunction = async (input) => {
      cleaned.push(input)
      return null
    }
    const rig = await open({ steps: { ...plain, CleanUp }, workflows })
    const runId = await submit(rig, 'parent', { workflow: 'napping', input: { ms: 60_000 }, close })
    await waiting(rig, runId, 'child')
    const child = await childOf(rig, runId)
    await waiting(rig, child.id, 'timer')
    await rig.engine.cancel(runId, 'enough', owner)
    expect((await ended(rig, runId)).status).toBe('cancelled')
    expect((await ended(rig, child.id)).status).toBe(status)
    expect(cleaned).toEqual(cleanedUp)
  })

  test('a parent that ends leaves a child alone that it abandons, and asks any other to end', async () => {
    const rig = await open({ steps: plain, workflows })
    const abandoning = await submit(rig, 'leaving_parent', { close: 'abandon' })
    const asking = await submit(rig, 'leaving_parent', { close: 'request_cancel' })
    const [left, asked] = [await childOf(rig, abandoning), await childOf(rig, asking)]
    await ended(rig, asking)
    expect((await ended(rig, asked.id)).status).toBe('cancelled')
    expect((await ended(rig, abandoning)).status).toBe('completed')
    expect((await waiting(rig, left.id, 'timer')).status).toBe('waiting')
    expect(await eventTypes(rig, abandoning)).toContain('child.cancelled')
    await rig.engine.cancel(left.id, 'the test is over', owner)
  })
}
