import { openStore } from '@kyros/store/open-store'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { testClock } from '../embedded/embedded-rig.ts'
import { askingWorkflows as workflows } from '../fixtures/catalogue.ts'
import { ended, plain, record, submit, until } from '../suite/rig.ts'
import { connectTemporal } from './connection.ts'
import { createTemporalRig } from './temporal-rig.ts'

const address = inject('testTemporalAddress')
let client: Client

beforeAll(async () => {
  client = new Client({ connection: await Connection.connect({ address }) })
  const [keyword, bool] = [2, 5]
  await client.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { customer: keyword, stage: bool, KyrosJob: keyword },
  })
})

afterAll(() => client.connection.close())

const searchAttributes = { customer: 'keyword', stage: 'bool', KyrosJob: 'keyword' } as const

test('a run is found on the cluster by what is listed, its children and later parts by their job', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const steps = { ...plain, First: async (input: unknown) => (input === 'before' ? 'x' : input) }
  const rig = await createTemporalRig({ steps, workflows, store, address, client, searchAttributes })
  // Without a client's own reading: what is encrypted beside it is not for this test.
  const shownOf = async (workflowId: string) => {
    const asked = { namespace: 'default', execution: { workflowId } }
    const { workflowExecutionInfo } = await client.workflowService.describeWorkflowExecution(asked)
    return Object.entries(workflowExecutionInfo?.searchAttributes?.indexedFields ?? {})
      .filter(([name]) => Object.hasOwn(searchAttributes, name))
      .map(([name, { data }]) => [name, JSON.parse(Buffer.from(data ?? []).toString())])
      .toSorted()
  }
  try {
    const runId = await submit(rig, 'booking')
    await ended(rig, runId)
    const { job_id: job } = await record(rig, runId)
    const shown = [
      ['KyrosJob', job],
      ['customer', 'c-1'],
    ]
    expect(await shownOf(runId)).toEqual(shown)
    const query = `customer = "c-1" AND KyrosJob = "${job}"`
    const { executions } = await until(
      () => client.workflowService.listWorkflowExecutions({ namespace: 'default', query }),
      (listed) => listed.executions.length > 0,
    )
    expect(executions.map(({ execution }) => execution?.workflowId)).toEqual([runId])

    // `asking` sets a text where the configuration says that it is true or false.
    const asking = await submit(rig, 'asking', 1)
    await ended(rig, asking)
    const { job_id: askingJob } = await record(rig, asking)
    expect(await shownOf(asking)).toEqual([['KyrosJob', askingJob]])
    const lines = await store.logs.list(asking, { after: 0, limit: 100 })
    expect(JSON.stringify(lines)).toContain('stage (bool)')
    const events = await store.events.ofRun(asking)
    const child = events.find((event) => event.type === 'child.started')
    expect(await shownOf(String(child?.data.run_id))).toEqual([['KyrosJob', askingJob]])

    const continuing = await submit(rig, 'continuing', { parts: 2, sum: 0 })
    await ended(rig, continuing)
    const { job_id: continuingJob } = await record(rig, continuing)
    expect(await shownOf(continuing)).toEqual([['KyrosJob', continuingJob]])
  } finally {
    await rig.stop()
  }
})

test('a namespace that lacks what is listed is not used, and the command that mends it is said', async () => {
  const made = connectTemporal(
    { address, namespace: 'default', searchAttributes: { nobody_made_it: 'int' } },
    { clock: testClock, log: () => {} },
  )
  try {
    expect(await made.check()).toMatchObject({
      code: 'temporal_refused',
      what: `Temporal at ${address} has no search attribute nobody_made_it in the namespace default.`,
      mend: expect.stringContaining('create --namespace default --name nobody_made_it --type Int'),
    })
  } finally {
    await made.close()
  }
})
