import { tmpdir } from 'node:os'
import { openStore } from '@kyros/store/open-store'
import { asyncLocalStorage, Context, type Info } from '@temporalio/activity'
import { type Logger, noopMetricMeter } from '@temporalio/common'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { testClock } from '../embedded/embedded-rig.ts'
import { createSlots, type Slots } from '../embedded/slots.ts'
import { createTimers, type Timers } from '../embedded/timers.ts'
import { createWorkspaces } from '../embedded/workspaces.ts'
import { gate } from '../suite/rig.ts'
import { StepActivities } from './step-activity.ts'

let store: Awaited<ReturnType<typeof openStore>>
let timers: Timers
let slots: Slots
let activities: StepActivities
let began: string[]
let go: ReturnType<typeof gate>

beforeEach(async () => {
  store = await openStore({ dataDir: ':memory:' })
  timers = createTimers(testClock)
  slots = createSlots(1, () => Date.now())
  began = []
  go = gate()
  const First: StepFunction = async (input) => {
    began.push(input)
    await go.opened
    return input
  }
  activities = new StepActivities({
    ...{ store, timers, slots, clock: testClock, log: () => {} },
    workspaces: createWorkspaces(tmpdir()),
    abortGraceMs: 50,
    beatEveryMs: 1000,
    implementation: () => First,
  })
})

afterEach(async () => {
  timers.stop()
  await store.close()
})

const quiet = () => {}
const logger: Logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet }

const info: Info = {
  ...{ taskToken: new Uint8Array(), base64TaskToken: '', activityId: 'First#1', activityType: 'First' },
  ...{ activityNamespace: 'default', namespace: 'default', taskQueue: 'kyros', attempt: 1, isLocal: false },
  ...{ scheduledTimestampMs: 0, currentAttemptScheduledTimestampMs: 0, heartbeatDetails: undefined },
  ...{ scheduleToCloseTimeoutMs: 0, startToCloseTimeoutMs: 60_000, inWorkflow: true },
}

/** An attempt as a worker begins it; `cancel` is what the cluster asks for. */
function begin(
  input: string,
  { isLocal = false, doubtful = false, isInline = false } = {},
): { end: Promise<unknown>; cancel: () => void } {
  const stop = new AbortController()
  const never = new Promise<never>(() => {})
  const context = new Context(
    { ...info, isLocal },
    never,
    stop.signal,
    quiet,
    undefined,
    logger,
    noopMetricMeter,
    {},
  )
  const meta = {
    ...{ run_id: 'r', workflow: 'w', step: 'First', key: input, command: 1, attempt: 1, max_attempts: 1 },
    ...{
      cuts: 0,
      missing: 0,
      principal: { id: 'user:ada', role: 'admin' } as const,
      start_to_close_ms: 60_000,
    },
    ...(doubtful ? { doubtful } : {}),
    ...(isInline ? { mode: 'inline' as const } : {}),
  }
  const end = asyncLocalStorage.run(context, () => activities.run(input, meta))
  return { end, cancel: () => stop.abort(new Error('CANCELLED')) }
}

test('an attempt that waited for its slot is counted while it runs, and not any more once it has ended', async () => {
  const [first, second] = [begin('a'), begin('b')]
  await expect.poll(() => [began, slots.waiting]).toEqual([['a'], 1])
  expect(activities.running).toBe(1)
  go.open()
  expect(await Promise.all([first.end, second.end])).toEqual(['a', 'b'])
  expect(activities.running).toBe(0)
  expect(slots.used).toBe(0)
})

test('an attempt that is cancelled while it waits ends at once, and gives back the slot it gets later', async () => {
  const [first, second] = [begin('a'), begin('b')]
  await expect.poll(() => slots.waiting).toBe(1)
  second.cancel()
  await expect(second.end).rejects.toThrow('The step was cancelled.')
  go.open()
  await first.end
  expect([began, activities.running]).toEqual([['a'], 0])
  await expect.poll(() => slots.used).toBe(0)
})

test('what waits when no more may begin is cut off, and what has begun ends', async () => {
  const [first, second] = [begin('a'), begin('b')]
  await expect.poll(() => slots.waiting).toBe(1)
  activities.beginNoMore('The worker stops.')
  await expect(second.end).rejects.toMatchObject({ message: 'The worker stops.', type: 'kyros.cut_off' })
  await expect(begin('c').end).rejects.toThrow('The worker stops.')
  expect(activities.running).toBe(1)
  go.open()
  expect(await first.end).toBe('a')
  expect([began, activities.running]).toEqual([['a'], 0])
})

test('a local activity does not wait long for its slot, and is to begin elsewhere', async () => {
  const [first, second] = [begin('a'), begin('b', { isLocal: true })]
  await expect(second.end).rejects.toMatchObject({ type: 'kyros.elsewhere' })
  go.open()
  await first.end
  expect(began).toEqual(['a'])
  await expect.poll(() => slots.used).toBe(0)
})

test('a local activity whose worker may have died in it begins elsewhere', async () => {
  await expect(begin('a', { isLocal: true, doubtful: true }).end).rejects.toMatchObject({
    type: 'kyros.elsewhere',
  })
  expect(began).toEqual([])
})

test('an inline step needs no slot of the queue, also as an ordinary activity', async () => {
  const [first, second] = [begin('a'), begin('b', { isInline: true })]
  await expect.poll(() => began).toEqual(['a', 'b'])
  go.open()
  expect(await Promise.all([first.end, second.end])).toEqual(['a', 'b'])
  expect(slots.used).toBe(0)
})
