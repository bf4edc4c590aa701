import type { Json } from '@kyros/contract/json'
import { openStore } from '@kyros/store/open-store'
import { StepError } from '@kyros/workflows/step-error'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Executions } from '../engine.ts'
import { askingWorkflows, testWorkflows } from '../fixtures/catalogue.ts'
import { type EngineRig, ended, owner, plain, type SuiteSteps, submit, waiting } from '../suite/rig.ts'
import { bundleWorkflows } from './bundle-workflows.ts'
import { conform } from './conform.ts'
import { createTemporalRig } from './temporal-rig.ts'

const address = inject('testTemporalAddress')
let client: Client
let rig: EngineRig

const steps: SuiteSteps = {
  ...plain,
  First: async (input) => {
    if (input === 'large') return 'x'.repeat(200_000)
    return input
  },
  Third: async () => {
    throw new StepError('no_car', 'No car.', { retryable: false })
  },
}

beforeAll(async () => {
  client = new Client({ connection: await Connection.connect({ address }) })
  const named = new Set(askingWorkflows.map(({ name }) => name))
  const workflows = [...askingWorkflows, ...testWorkflows.filter(({ name }) => !named.has(name))]
  const store = await openStore({ dataDir: ':memory:' })
  rig = await createTemporalRig({ ...{ steps, workflows, store, address, client } })
})

afterAll(async () => {
  await rig.stop()
  await client.connection.close()
})

async function historyOf(runId: string) {
  const { type: workflow = '', definition = '' } = (await rig.store.runs.get(runId)) ?? {}
  // As it comes over the wire.
  const answer = JSON.parse(JSON.stringify(await rig.engine.executions(runId)))
  const { code, ...executions }: Executions = answer
  if (code?.kind !== 'code') throw new Error('The bundle of the build is missing.')
  return { run: { runId, workflow }, definition, code: code.code, ...executions }
}

/** A bundle in which the workflow has the definition of another. */
async function bundleWith(workflow: string, other: string): Promise<string> {
  const hash = rig.engine.workflows().find(({ name }) => name === other)?.definition ?? ''
  const source = (await rig.store.definitions.get(hash))?.source ?? ''
  return bundleWorkflows([{ workflow, version: '1.0.0', hash, source }])
}

test.each<[string, Json]>([
  ['parallel', 'large'],
  ['booking', null],
  ['continuing', { parts: 3, sum: 0 }],
  ['parent', { workflow: 'napping', input: { ms: 10 } }],
  ['collecting', { count: 9, timeoutMs: 30 }],
  ['questioning', { timeoutMs: 20 }],
])('what the cluster has of %s with %j replays', async (workflow, input) => {
  const runId = await submit(rig, workflow, input)
  await ended(rig, runId)
  const history = await historyOf(runId)
  expect(history.isWhole).toBe(true)
  const [result] = await conform({ histories: [history] })
  expect(result).toMatchObject({ ok: true })
  expect(result?.temporalEvents).toBeGreaterThan(3)
})

test('a cancelled run replays, and another definition than its own is caught', async () => {
  const runId = await submit(rig, 'parent', { workflow: 'napping', input: { ms: 60_000 } })
  await waiting(rig, runId, 'child')
  await rig.engine.cancel(runId, 'enough', owner)
  await ended(rig, runId)
  const history = await historyOf(runId)
  const code = await bundleWith('parent', 'questioning')
  const [result, differing] = await conform({ histories: [history, { ...history, code }] })
  expect(result).toMatchObject({ ok: true })
  expect(differing).toMatchObject({
    ok: false,
    message: 'The history holds step First (event 5), the definition asks for a waitpoint or attributes.',
  })
})

test('the secret of a run is not among it, and a bundle is given once', async () => {
  const runId = await submit(rig, 'sequence', 'in')
  await ended(rig, runId)
  const { build } = await historyOf(runId)
  const { code, histories } = await rig.engine.executions(runId, build)
  expect(code).toBeUndefined()
  expect(JSON.stringify(histories)).toContain('"secret":""')
  expect(JSON.stringify(histories)).toContain('"kyros_json":"in"')
  const absent = rig.engine.executions('01b8dac5-b533-71c4-90ba-7173ee02a176')
  await expect(absent).rejects.toMatchObject({ code: 'run_not_found' })
})
