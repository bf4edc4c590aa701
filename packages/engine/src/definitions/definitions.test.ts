import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { catalogue } from '@kyros/workflows/catalogue'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { outcomeOf } from '../embedded/outcome-of.ts'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { loadBundle, prepareDefinitions } from './definitions.ts'

let store: Store
let dir: string

beforeEach(async () => {
  store = await openStore({ dataDir: ':memory:' })
  dir = await mkdtemp(join(tmpdir(), 'kyros-definitions-'))
})

afterEach(() => store.close())

const prepare = (cacheDir: string, workflows = [testWorkflow('sequence')]) =>
  prepareDefinitions({ store, workflows, cacheDir, nowMs: Date.now() })

test('a stored definition is loaded on a machine whose cache is empty', async () => {
  const first = await prepare(join(dir, 'one'))
  const hash = first.startable.get('sequence')?.hash ?? ''
  const second = await prepare(join(dir, 'two'), [])
  expect((await second.load(hash))?.definition.name).toBe('sequence')
})

test('a definition is loaded once', async () => {
  const definitions = await prepare(dir)
  const hash = definitions.startable.get('sequence')?.hash ?? ''
  const [one, two] = await Promise.all([definitions.load(hash), definitions.load(hash)])
  expect(one).toBe(two)
})

test('where a definition throws is known by its code', async () => {
  const definitions = await prepare(dir, [testWorkflow('buggy')])
  const loaded = await definitions.load(definitions.startable.get('buggy')?.hash ?? '')
  const thrown = await loaded?.definition.run({} as never, null).then(
    () => undefined,
    (error: unknown) => outcomeOf(error, loaded.lineAt),
  )
  expect(thrown).toMatchObject({
    kind: 'blocked',
    detail: expect.stringMatching(/^The definition threw \w*Error: .* \(at: .+\)$/),
  })
})

test('a hash that nobody stored loads nothing', async () => {
  expect(await (await prepare(dir)).load('0'.repeat(64))).toBeUndefined()
})

test('a file that is no bundle is refused', async () => {
  await writeFile(join(dir, 'odd.mjs'), 'export const something = 1')
  await expect(loadBundle('odd', join(dir, 'odd.mjs'))).rejects.toThrow('does not hold a workflow definition')
})

test('every workflow of the catalogue can be bundled and named as it says', async () => {
  const definitions = await prepare(dir, [...catalogue])
  for (const { entry, hash } of definitions.startable.values()) {
    const loaded = await definitions.load(hash)
    expect(loaded?.definition).toMatchObject({ name: entry.name, version: entry.version })
  }
})
