import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Event, isRunEvent } from '@kyros/contract/event'
import { expect, test } from 'vitest'
import { prepareDefinitions } from '../definitions/definitions.ts'
import type { StepFunction } from '../embedded/attempt.ts'
import { asNewEvent } from '../embedded/history.ts'
import { testWorkflow, testWorkflows } from '../fixtures/catalogue.ts'
import {
  copyRun,
  type EngineRig,
  ended,
  gate,
  type OpenRig,
  plain,
  submit,
  until,
  untilAborted,
  waiting,
} from './rig.ts'

export function testDivergence(open: OpenRig): void {
  test.each([
    [
      'asks for something else',
      'reordered',
      'the history holds step First, the definition asks for step Second',
    ],
    ['asks for less', 'shortened', 'the history holds step Second, the definition asks for nothing'],
  ])('a run whose definition %s at replay is blocked with both sides', async (_name, exportName, says) => {
    const began = gate()
    const hanging: StepFunction = async (_input, { signal }) => {
      began.open()
      return untilAborted(signal)
    }
    const rig = await open({ steps: { ...plain, Third: hanging } })
    const runId = await submit(rig, 'sequence', 7)
    await began.opened
    // The log of a cluster's run follows a little behind its worker.
    const before = await until(
      () => rig.store.events.ofRun(runId),
      (events) => events.some(({ type, data }) => type === 'step.started' && data.step === 'Third'),
    )
    // The same history under another definition, as if somebody had changed the bundle behind its hash.
    const planted = await plant(rig, before, exportName)
    await rig.restart({ steps: plain, workflows: [...testWorkflows] })
    const run = await waiting(rig, planted, 'blocked')
    expect(run.reason_detail).toContain(says)
    expect(await ended(rig, runId)).toMatchObject({ status: 'completed', result: [7, 7, 7] })
  })
}

/** Commits a run with the given events, but on the bundle of another definition. */
async function plant(rig: EngineRig, events: Event[], exportName: string): Promise<string> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'kyros-planted-'))
  const workflows = [testWorkflow('sequence', exportName)]
  const { startable } = await prepareDefinitions({ store: rig.store, workflows, cacheDir, nowMs: Date.now() })
  const definition = startable.get('sequence')?.hash ?? ''
  const history = events.flatMap((event) => (isRunEvent(event) ? [asNewEvent(event)] : []))
  return copyRun(rig, history, definition)
}
