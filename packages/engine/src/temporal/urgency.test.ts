import { expect, test } from 'vitest'
import { Urgency } from './urgency.ts'

const forever = () => new Promise<void>(() => {})

test('who waits goes on at a hint, and reads twice more without a wait', async () => {
  const urgency = new Urgency()
  const waiting = urgency.before(forever)
  urgency.hint()
  await waiting
  await urgency.before(forever)
  await urgency.before(forever)
  let paused = 0
  const pause = async () => {
    paused += 1
  }
  await urgency.before(pause)
  expect(paused).toBe(1)
})
