import { openStore } from '@kyros/store/open-store'
import { afterEach, expect, test } from 'vitest'
import { testWorkflow } from '../../fixtures/catalogue.ts'
import { type EngineRig, ended, gate, owner, plain, type SuiteSteps, submit, until } from '../../suite/rig.ts'
import { createEmbeddedRig } from '../embedded-rig.ts'

const values = new URL('../../fixtures/value-definitions.ts', import.meta.url)
const workflows = ['dicey', 'parted_child', 'parted_parent'].map((name) =>
  testWorkflow(name, undefined, values),
)

const rigs: EngineRig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

async function open(steps: SuiteSteps = plain) {
  const rig = await createEmbeddedRig({ store: await openStore({ dataDir: ':memory:' }), steps, workflows })
  rigs.push(rig)
  const fork = async (from: string, fromStep: string, ofSameJob = false) => {
    const runId = rig.newId()
    const ids = { runId, ...(ofSameJob ? {} : { jobId: rig.newId() }) }
    await rig.engine.fork(from, { fromStep, ...ids, principal: owner, timeMs: Date.now() })
    return ended(rig, runId)
  }
  return { rig, fork }
}

test('forks, and forks of forks, roll the dice that the steps they take over saw', async () => {
  const { rig, fork } = await open()
  for (let round = 0; round < 5; round++) {
    const original = await ended(rig, await submit(rig, 'dicey'))
    const [order] = [original.result].flat()
    const first = await fork(original.id, 'last')
    const second = await fork(first.id, 'last')
    for (const { status, result } of [first, second]) {
      expect({ status, result }).toEqual({ status: 'completed', result: [order, order, order, order] })
    }
  }
})

test('a fork in the same job is the attempt to its definition that made what it takes over', async () => {
  const { rig, fork } = await open()
  const original = await ended(rig, await submit(rig, 'dicey'))
  const forked = await fork(original.id, 'last', true)
  expect(forked).toMatchObject({ status: 'completed', attempt: 2, result: original.result })
})

test('a fork of a child that continued as new is nobody’s child, and replays with the dice of that part', async () => {
  const hold = gate()
  let isHeld = false
  const Second: SuiteSteps[string] = async (input) => {
    if (isHeld) await hold.opened
    return input
  }
  const { rig } = await open({ ...plain, Second })
  const parent = await ended(rig, await submit(rig, 'parted_parent'))
  const [child] = (await rig.store.events.ofRun(parent.id)).flatMap(({ type, data }) =>
    type === 'child.started' ? [String(data.run_id)] : [],
  )
  isHeld = true
  const runId = rig.newId()
  const from = { fromStep: 'Second~1', runId, jobId: rig.newId(), principal: owner, timeMs: Date.now() }
  await rig.engine.fork(child ?? '', from)
  const steps = () => rig.store.events.ofRun(runId)
  await until(steps, (events) =>
    events.some(({ type, data }) => type === 'step.started' && data.key === 'Second~1'),
  )
  // It is read again, by its last part alone.
  await rig.restart()
  hold.open()
  expect(await ended(rig, runId)).toMatchObject({ status: 'completed', result: parent.result })
  const continued = (await steps()).find(({ type }) => type === 'run.continued')
  expect(continued?.data.before).toEqual({
    ...{ started_ms: from.timeMs, active_ms: 0, inbox_ids: [] },
    origin: { run_id: child, attempt: 1 },
  })
})
