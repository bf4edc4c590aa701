import { isRunEvent } from '@kyros/contract/event'
import { openStore } from '@kyros/store/open-store'
import { expect, test } from 'vitest'
import { copyRun, ended, plain, submit } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'
import { asNewEvent } from './history.ts'

/** The run as processes left it that died `deaths` times while its first step ran. */
async function afterDeaths(deaths: number) {
  const rig = await createEmbeddedRig({ store: await openStore({ dataDir: ':memory:' }), steps: plain })
  const whole = await ended(rig, await submit(rig, 'sequence', 'in'))
  const events = (await rig.store.events.ofRun(whole.id)).flatMap((event) =>
    isRunEvent(event) ? [asNewEvent(event)] : [],
  )
  const starts = events.findIndex(({ type }) => type === 'step.started')
  const start = events[starts]
  if (start === undefined) throw new Error('the step began')
  const died = Array.from({ length: deaths }, () => start)
  const id = await copyRun(rig, [...events.slice(0, starts), ...died], whole.definition)
  await rig.restart()
  const run = await ended(rig, id)
  const own = await rig.store.events.ofRun(id)
  await rig.stop()
  return { run, failed: own.filter(({ type }) => type === 'step.failed') }
}

test('a step whose attempt the server did not survive five times has a failed attempt, and is tried again', async () => {
  const { run, failed } = await afterDeaths(5)
  expect(failed).toMatchObject([
    {
      data: {
        attempt: 1,
        error: { code: 'step_cut_off', message: expect.stringContaining('ended 5 times'), retryable: true },
        retry_at: expect.any(String),
      },
    },
  ])
  expect(run.status).toBe('completed')
})

test('fewer deaths are no failed attempt', async () => {
  const { run, failed } = await afterDeaths(4)
  expect(failed).toEqual([])
  expect(run.status).toBe('completed')
})
