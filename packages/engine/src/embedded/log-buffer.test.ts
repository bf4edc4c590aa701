import { openStore } from '@kyros/store/open-store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EngineRig, plain, submit, until } from '../suite/rig.ts'
import { createEmbeddedRig, testClock } from './embedded-rig.ts'
import { RunLog } from './log-buffer.ts'
import { createTimers } from './timers.ts'

let rig: EngineRig
let runId: string
const timers = createTimers(testClock)
const line = (message: string) =>
  ({ timeMs: Date.now(), level: 'info', step: null, attempt: null, message }) as const

beforeEach(async () => {
  rig = await createEmbeddedRig({ store: await openStore({ dataDir: ':memory:' }), steps: plain })
  runId = await submit(rig, null)
})

afterEach(() => rig.stop())

const open = (errors: unknown[] = [], id = runId) =>
  new RunLog(
    { store: rig.store, timers, clock: testClock, log: (_level, message) => errors.push(message) },
    id,
  )

test('lines are written together a moment later', async () => {
  const log = open()
  for (const message of ['one', 'two', 'three']) log.add(line(message))
  const read = () => rig.store.logs.list(runId, { after: 0, limit: 10 })
  const lines = await until(read, (found) => found.length > 0)
  expect(lines.map(({ message }) => message)).toEqual(['one', 'two', 'three'])
})

test('a log is cut after 10,000 lines, with one line that says so, also over a restart', async () => {
  const log = open()
  for (let index = 0; index < 10_500; index++) log.add(line(`line ${index}`))
  await log.flush()
  const last = await rig.store.logs.list(runId, { after: 9999, limit: 10 })
  expect(last).toMatchObject([{ line: 10_000 }, { line: 10_001, level: 'warn' }].slice(0, last.length))
  expect(last.at(-1)?.message).toContain('ends here')
  const later = open()
  later.add(line('after a restart'))
  await later.flush()
  for (let index = 0; index < 5; index++) later.add(line('more'))
  await later.flush()
  expect((await rig.store.logs.list(runId, { after: 10_001, limit: 10 })).length).toBeLessThanOrEqual(1)
})

test('a very long line is cut', async () => {
  const log = open()
  log.add(line('x'.repeat(100_000)))
  await log.flush()
  const [only] = await rig.store.logs.list(runId, { after: 0, limit: 10 })
  expect(only?.message.length).toBeLessThan(17_000)
})

test('a line that cannot be written is reported and stops nothing', async () => {
  const errors: unknown[] = []
  const log = open(errors, rig.newId())
  log.add(line('for nobody'))
  await log.flush()
  expect(errors).toHaveLength(1)
})
