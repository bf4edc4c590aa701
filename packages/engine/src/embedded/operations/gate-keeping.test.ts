import { problem } from '@kyros/contract/problem'
import { createBlobMemory } from '@kyros/store/sqlite/blob-files'
import type { OpenRun } from '@kyros/store/store'
import { expect, test } from 'vitest'
import type { Definitions, LoadedDefinition } from '../../definitions/definitions.ts'
import { createRunGates } from '../run-gates.ts'
import { holdPlaces } from './gate-keeping.ts'

test('a run keeps its place over a restart although the store is away while its definition is read', async () => {
  const gates = createRunGates({ onAdmitted: () => {}, cancel: () => {} })
  const definition = { name: 'deploy', version: '1.0.0', concurrency: { limit: 1, onConflict: 'reject' } }
  let reads = 0
  const load: Definitions['load'] = async () => {
    if (++reads === 1) throw problem('store_unavailable', { detail: 'away' })
    // Border cast: nothing but its concurrency is looked at here.
    return { definition } as unknown as LoadedDefinition
  }
  const definitions = { load } as unknown as Definitions
  const clock = { nowMs: () => 0, sleep: async () => {} }
  const record = { id: 'a', type: 'deploy', definition: 'hash', input: null, startedMs: 1 }
  await holdPlaces(
    { definitions, gates, clock, log: () => {}, store: { blobs: createBlobMemory() } },
    [record as unknown as OpenRun],
    new AbortController().signal,
  )
  gates.open()
  expect(gates.isFull({ key: 'deploy', limit: 1, onConflict: 'reject' })).toBe(true)
})
