import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json } from '@kyros/contract/json'
import { openStore } from '@kyros/store/open-store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { prepareDefinitions } from '../definitions/definitions.ts'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { type EngineRig, ended, plain, record, submit } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'
import { shadowReplay } from './shadow-replay.ts'

let rig: EngineRig

beforeAll(async () => {
  rig = await createEmbeddedRig({ store: await openStore({ dataDir: ':memory:' }), steps: plain })
})

afterAll(() => rig.stop())

async function definitionsOf(exportName: string) {
  const cacheDir = await mkdtemp(join(tmpdir(), 'kyros-shadow-'))
  const workflows = [testWorkflow('x', exportName)]
  return prepareDefinitions({ store: rig.store, workflows, cacheDir, nowMs: Date.now() })
}

async function load(exportName: string) {
  const definitions = await definitionsOf(exportName)
  const loaded = await definitions.load(definitions.startable.get('x')?.hash ?? '')
  if (loaded === undefined) throw new Error('not stored')
  return loaded
}

test.each<[string, Json]>([
  ['sequence', 'in'],
  ['parallel', 'in'],
  ['race', 'in'],
  ['abandoning', 'in'],
  ['retrying', 'in'],
  ['sleeping', { ms: 5 }],
  ['collecting', { count: 1, timeoutMs: 5 }],
  ['dice', 'in'],
  ['wide', { count: 30 }],
  ['mixed', 'in'],
])('the history of %s replays to the same commands and the same result', async (workflow, input) => {
  const runId = await submit(rig, workflow, input)
  const run = await ended(rig, runId)
  const shadow = await shadowReplay(rig.store, runId, await load(workflow))
  expect(shadow.outcome).toEqual({ kind: 'completed', result: run.result })
  expect(shadow.replayed).toEqual(shadow.recorded)
})

test('a changed definition is seen before it is deployed', async () => {
  const runId = await submit(rig, 'sequence', 'in')
  await ended(rig, runId)
  const shadow = await shadowReplay(rig.store, runId, await load('reordered'))
  expect(shadow.outcome).toMatchObject({ kind: 'blocked', detail: expect.stringContaining('step Second') })
  expect((await record(rig, runId)).status).toBe('completed')
})

test('a run that does not exist cannot be replayed', async () => {
  await expect(shadowReplay(rig.store, rig.newId(), await load('sequence'))).rejects.toThrow(
    'There is no run',
  )
})
