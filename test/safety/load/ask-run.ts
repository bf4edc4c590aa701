import { setTimeout as delay } from 'node:timers/promises'
import { ProblemError } from '@kyros/contract/problem'
import type { LoadParts, OpenRun } from './create-load.ts'
import { newId, principal } from './create-load.ts'

const updatesPerRun = 2

/**
 * Updates a run, one after the other, pauses it now and then meanwhile, and answers its waitpoint at last. What an
 * earlier life of the process may have sent is sent once more under the same id.
 */
export async function askRun(parts: LoadParts, run: string, state: OpenRun): Promise<void> {
  const { engine, records, random } = parts
  // An earlier life may have ended between a pause and its end.
  await resume(parts, run)
  while (state.sent < updatesPerRun) {
    const value = state.asking ?? newId()
    if (state.asking === undefined) records.note({ kind: 'asking', run, value })
    state.asking = value
    const pausing = random.chance(0.3) ? pauseAWhile(parts, run) : undefined
    const [answered] = await Promise.allSettled([
      engine.update(run, 'add', value, { updateId: value, principal }),
      pausing,
    ])
    await resume(parts, run)
    if (answered.status === 'rejected') throw answered.reason
    records.note({ kind: 'update', run, value, answer: answered.value })
    state.asking = undefined
    state.sent += 1
  }
  await engine.answerWaitpoint(run, await waitpointOf(parts, run), run, principal)
  records.note({ kind: 'answer', run })
}

async function pauseAWhile({ engine, random }: LoadParts, run: string): Promise<void> {
  await engine.pause(run, principal)
  await delay(random.integer(0, 40))
  await engine.resume(run, principal)
}

async function resume({ engine }: LoadParts, run: string): Promise<void> {
  await engine.resume(run, principal).catch((error: unknown) => {
    if (!(error instanceof ProblemError) || error.code !== 'run_not_paused') throw error
  })
}

async function waitpointOf({ store }: LoadParts, run: string): Promise<number> {
  for (const event of await store.events.ofRun(run)) {
    if (event.type === 'waitpoint.created') return Number(event.data.command)
  }
  throw new Error('The run has no waitpoint yet')
}
