import { problem } from '@kyros/contract/problem'
import { openStore } from '@kyros/store/open-store'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type EngineRig, owner, plain, submit } from '../suite/rig.ts'
import { ChildRuns, type ChildRunsOptions } from './child-runs.ts'
import { createEmbeddedRig, newId, testClock } from './embedded-rig.ts'
import { factsOf } from './run-facts.ts'
import { createTimers } from './timers.ts'

let rig: EngineRig
let logged: string[]

beforeEach(async () => {
  rig = await createEmbeddedRig({ store: await openStore({ dataDir: ':memory:' }), steps: plain })
  logged = []
})
afterEach(() => rig.stop())

function childRuns(change: Partial<ChildRunsOptions>): ChildRuns {
  return new ChildRuns({
    ...{ store: rig.store, clock: testClock, timers: createTimers(testClock), isClosing: () => false },
    submit: (submission) => rig.engine.submit(submission),
    cancel: (runId, reason) => rig.engine.cancel(runId, reason, owner),
    find: async () => undefined,
    log: (_level, message) => logged.push(message),
    ...change,
  })
}

test('the child of a run that was deleted is not begun, and what comes behind that is done', async () => {
  const parentId = await submit(rig, null)
  const record = await rig.store.runs.get(parentId)
  if (record === undefined) throw new Error('the parent is there')
  const parent = { ...factsOf(record), runId: newId() }
  const asked = vi.fn<ChildRunsOptions['submit']>()
  const children = childRuns({ submit: asked })
  const runId = newId()
  const link = { run_id: parent.runId, command: 1, parent_close: 'cancel' } as const
  const child = { workflow: 'sequence', key: 'sequence', input: null, timeoutSeconds: 60 }
  children.begin({ parent, link, runId, ...child })
  await new Promise<void>((resolve) => children.close(runId, 'cancel', resolve))
  expect(asked).not.toHaveBeenCalled()
  expect(logged).toEqual([])
})

test('a child that has ended before it could be stopped is not stopped again', async () => {
  const runId = await submit(rig, null)
  const cancel = async () => {
    throw problem('run_ended', { detail: 'It has ended.' })
  }
  const children = childRuns({ cancel })
  await new Promise<void>((resolve) => children.close(runId, 'request_cancel', resolve))
  expect(logged).toEqual([])
})
