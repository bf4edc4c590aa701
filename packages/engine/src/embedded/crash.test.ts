import { isRunEvent } from '@kyros/contract/event'
import type { NewRunEvent } from '@kyros/store/command'
import { openStore } from '@kyros/store/open-store'
import { afterEach, expect, test } from 'vitest'
import { copyRun, type EngineRig, ended, plain, record, submit } from '../suite/rig.ts'
import type { StepFunction } from './attempt.ts'
import { createEmbeddedRig } from './embedded-rig.ts'
import { asNewEvent } from './history.ts'

const rigs: EngineRig[] = []

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

async function open(steps: { [step: string]: StepFunction }) {
  const rig = await createEmbeddedRig({ store: await openStore({ dataDir: ':memory:' }), steps })
  rigs.push(rig)
  return rig
}

/** How often each step of each run was done. */
function counting() {
  const counts = new Map<string, number>()
  const step: StepFunction = async (input, { runId, step, attempt }) => {
    const key = `${runId} ${step}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
    if (step === 'First' && attempt === 1) throw new Error('the first attempt fails')
    return input
  }
  return { counts, steps: { ...plain, First: step, Second: step, Third: step } }
}

const endsRun = (event: NewRunEvent) => ['run.completed', 'run.failed'].includes(event.type)

test.each(['sequence', 'parallel', 'mixed'])(
  'a run of %s that lost everything after any event of its log goes on from there',
  async (workflow) => {
    const { counts, steps } = counting()
    const rig = await open(steps)
    const runId = await submit(rig, workflow, 'in')
    const whole = await ended(rig, runId)
    const events = (await rig.store.events.ofRun(runId)).flatMap((event) =>
      isRunEvent(event) ? [asNewEvent(event)] : [],
    )
    const before = counts.size
    const copies: { id: string; kept: NewRunEvent[] }[] = []
    for (let length = 1; length <= events.length; length++) {
      const kept = events.slice(0, length)
      if (!kept.some(endsRun)) copies.push({ id: await copyRun(rig, kept, whole.definition), kept })
    }
    expect(copies.length).toBeGreaterThan(8)
    await rig.restart()
    for (const { id, kept } of copies) {
      const run = await ended(rig, id)
      expect(run).toMatchObject({ status: 'completed', result: whole.result })
      for (const event of kept) {
        if (event.type !== 'step.completed') continue
        expect(
          counts.get(`${id} ${event.data.step}`),
          `${event.data.step} of a prefix of ${kept.length}`,
        ).toBeUndefined()
      }
    }
    expect(counts.size).toBeGreaterThan(before)
    expect((await record(rig, runId)).run_seq).toBe(events.length)
  },
)

test('what was delivered before a crash is delivered in the same order after it', async () => {
  const { steps } = counting()
  const rig = await open(steps)
  const runId = await submit(rig, 'race', 'in')
  const whole = await ended(rig, runId)
  const events = (await rig.store.events.ofRun(runId)).flatMap((event) =>
    isRunEvent(event) ? [asNewEvent(event)] : [],
  )
  const copies: { id: string; order: string[] }[] = []
  for (let length = 1; length < events.length; length++) {
    const kept = events.slice(0, length)
    const order = kept.flatMap((event) => (event.type === 'step.completed' ? [event.data.step] : []))
    copies.push({ id: await copyRun(rig, kept, whole.definition), order })
  }
  await rig.restart()
  for (const { id, order } of copies) {
    const { result } = await ended(rig, id)
    expect(result).toMatchObject({ order: expect.arrayContaining(['First', 'Second', 'Third']) })
    expect(JSON.stringify(result)).toContain(JSON.stringify(order).slice(1, -1))
  }
})
