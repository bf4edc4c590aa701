import { openStore } from '@kyros/store/open-store'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { askingWorkflows, inlineWorkflows, testWorkflows } from '../fixtures/catalogue.ts'
import {
  type EngineRig,
  ended,
  gate,
  owner,
  plain,
  type SuiteSteps,
  submit,
  untilAborted,
  waiting,
} from '../suite/rig.ts'
import { createTemporalRig } from './temporal-rig.ts'

const address = inject('testTemporalAddress')
let client: Client

beforeAll(async () => {
  client = new Client({ connection: await Connection.connect({ address }) })
})

afterAll(() => client.connection.close())

const secret = 'swordfish'
const workflows = [
  ...testWorkflows,
  ...inlineWorkflows,
  ...askingWorkflows.filter(({ name }) => name === 'updating'),
]

async function withRig(
  steps: SuiteSteps,
  act: (rig: EngineRig) => Promise<void>,
  encrypts = true,
): Promise<void> {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createTemporalRig({
    steps: { ...plain, ...steps },
    workflows,
    store,
    address,
    client,
    encrypts,
  })
  try {
    await act(rig)
  } finally {
    await rig.stop()
  }
}

/** Everything that the cluster keeps of the run, as anyone reads it who may read its database. */
async function keptOf(runId: string): Promise<string> {
  const { events } = await client.workflow.getHandle(runId).fetchHistory()
  return textIn(events ?? []).join('\n')
}

function textIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textIn)
}

/** The log says it, and the cluster does not know it. */
async function expectClosed(rig: EngineRig, runId: string): Promise<void> {
  expect(JSON.stringify(await rig.store.events.ofRun(runId))).toContain(secret)
  const kept = await keptOf(runId)
  expect(kept).toContain('binary/encrypted')
  expect(kept).not.toContain(secret)
}

const failing = async () => {
  throw new Error(`no ${secret} here`, { cause: new Error(`${secret}, too`) })
}

test('a cluster does not get to know what the error of a step says', () =>
  withRig({ First: failing }, async (rig) => {
    const runId = await submit(rig, 'sequence', 1, { maxRetries: 0 })
    expect(await ended(rig, runId)).toMatchObject({ status: 'failed' })
    await expectClosed(rig, runId)
    const caught = await submit(rig, 'catching', 1)
    expect(await ended(rig, caught)).toMatchObject({ result: { message: `no ${secret} here`, attempts: 2 } })
    await expectClosed(rig, caught)
    const inline = await submit(rig, 'inline_retrying', { initialMs: 1 })
    expect(await ended(rig, inline)).toMatchObject({ status: 'failed' })
    expect(await keptOf(inline)).toContain('core_local_activity')
    await expectClosed(rig, inline)
  }))

test('where nothing is encrypted, errors are readable on the cluster', () =>
  withRig(
    { First: failing },
    async (rig) => {
      const runId = await submit(rig, 'sequence', 1, { maxRetries: 0 })
      await ended(rig, runId)
      const { events } = await client.workflow.getHandle(runId).fetchHistory()
      const failures = events?.flatMap(
        ({ activityTaskFailedEventAttributes: step, workflowExecutionFailedEventAttributes: run }) =>
          [step?.failure?.message, run?.failure?.message].filter((message) => message != null),
      )
      expect(failures).toEqual([`no ${secret} here`, expect.stringContaining(`no ${secret} here`)])
    },
    false,
  ))

test('a cluster does not get to know who cancelled a run, and why', async () => {
  const began = gate()
  const First: SuiteSteps[string] = async (_input, { signal }) => {
    began.open()
    return untilAborted(signal)
  }
  await withRig({ First }, async (rig) => {
    const runId = await submit(rig, 'sequence')
    await began.opened
    await rig.engine.cancel(runId, `the ${secret} got away`, { id: `user:${secret}`, role: 'admin' })
    expect(await ended(rig, runId)).toMatchObject({
      status: 'cancelled',
      reason_detail: `the ${secret} got away`,
    })
    const events = await rig.store.events.ofRun(runId)
    const asked = events.find(({ type }) => type === 'run.cancel_requested')
    expect(asked?.actor).toBe(`user:${secret}`)
    await expectClosed(rig, runId)
  })
})

test('a cluster does not get to know of a bug, nor why a blocked run is given up', () =>
  withRig({}, async (rig) => {
    const runId = await submit(rig, 'buggy')
    await waiting(rig, runId, 'blocked')
    await rig.engine.cancel(runId, `no more ${secret}`, owner)
    expect(await ended(rig, runId)).toMatchObject({ reason_detail: `no more ${secret}` })
    await expectClosed(rig, runId)
    expect(await keptOf(runId)).not.toContain('nothing here is a function')
  }))

test('what an update and a query fail with is heard by who asked, and by nobody else', () =>
  withRig({}, async (rig) => {
    const runId = await submit(rig, 'updating', { limit: 1 })
    await waiting(rig, runId, 'signal')
    const update = rig.engine.update(runId, 'setLimit', 500, { updateId: 'a', principal: owner })
    await expect(update).rejects.toMatchObject({ message: expect.stringContaining('At most 100.') })
    await expect(rig.engine.query(runId, 'bad', null)).rejects.toMatchObject({
      ...{ code: 'query_failed', message: expect.stringContaining('must only look') },
    })
    await expect(rig.engine.query(runId, 'colour', null)).rejects.toMatchObject({
      ...{ code: 'query_unknown', message: expect.stringContaining('It answers: limit, bad.') },
    })
    expect(await keptOf(runId)).not.toContain('At most 100.')
    await rig.engine.signal(runId, 'finish', null, owner)
    await ended(rig, runId)
  }))
