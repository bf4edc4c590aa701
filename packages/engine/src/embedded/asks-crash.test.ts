import { isRunEvent } from '@kyros/contract/event'
import type { NewRunEvent } from '@kyros/store/command'
import { openStore } from '@kyros/store/open-store'
import { afterEach, expect, test } from 'vitest'
import { askingWorkflows } from '../fixtures/catalogue.ts'
import { copyRun, type EngineRig, ended, plain, submit } from '../suite/rig.ts'
import type { StepFunction } from './attempt.ts'
import { createEmbeddedRig } from './embedded-rig.ts'
import { asNewEvent } from './history.ts'

const rigs: EngineRig[] = []

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

const endsRun = ({ type }: NewRunEvent) => type === 'run.completed'

async function eventsOf(rig: EngineRig, runId: string): Promise<NewRunEvent[]> {
  const events = await rig.store.events.ofRun(runId)
  return events.flatMap((event) => (isRunEvent(event) ? [asNewEvent(event)] : []))
}

/** The child of a copy is a child of the copy, or it would belong to two runs. */
function withOwnChildren(events: readonly NewRunEvent[], rig: EngineRig): NewRunEvent[] {
  const own = new Map<string, string>()
  return events.map((event) => {
    if (!event.type.startsWith('child.') || !('run_id' in event.data)) return event
    const known = own.get(event.data.run_id) ?? rig.newId()
    own.set(event.data.run_id, known)
    // Border cast: the same event about another run.
    return { ...event, data: { ...event.data, run_id: known } } as NewRunEvent
  })
}

test.each([
  ['asking', 'in'],
  ['continuing', { parts: 3, sum: 0 }],
])(
  'a run of %s that lost everything after any event of its log goes on from there',
  async (workflow, input) => {
    const done = new Set<string>()
    const noting: StepFunction = async (value, { idempotencyKey }) => {
      done.add(idempotencyKey)
      return value
    }
    const steps = { ...plain, First: noting, Third: noting }
    const store = await openStore({ dataDir: ':memory:' })
    const rig = await createEmbeddedRig({ store, steps, workflows: askingWorkflows })
    rigs.push(rig)
    const runId = await submit(rig, workflow, input)
    const whole = await ended(rig, runId)
    const events = await eventsOf(rig, runId)
    expect(whole.status).toBe('completed')
    const copies: { id: string; kept: NewRunEvent[] }[] = []
    for (let length = 1; length <= events.length; length++) {
      const kept = withOwnChildren(events.slice(0, length), rig)
      if (!kept.some(endsRun)) copies.push({ id: await copyRun(rig, kept, whole.definition), kept })
    }
    expect(copies.length).toBeGreaterThan(15)
    await rig.restart()
    for (const { id, kept } of copies) {
      const run = await ended(rig, id)
      expect(run, `a prefix of ${kept.length}`).toMatchObject({ status: 'completed', result: whole.result })
      for (const event of kept) {
        if (event.type !== 'step.completed') continue
        const step = `${event.data.key} of a prefix of ${kept.length}`
        expect(done.has(`${id}/${event.data.key}`), step).toBe(false)
      }
    }
  },
)
