import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { adapterHash, sdkSeries } from './adapter-hash.ts'
import { codeOf } from './build-code.ts'
import { type Build, buildOf } from './builds.ts'

let store: Store
beforeEach(async () => {
  store = await openStore({ dataDir: ':memory:' })
})
afterEach(() => store.close())

const members = { sequence: 'a'.repeat(64) }
const code = (build: Build, bundled: string) =>
  codeOf(store, build, { bundle: async () => bundled, nowMs: () => 1 })

test('a build is bundled once, and whoever serves it later takes that', async () => {
  const build = buildOf(members, await adapterHash())
  expect(await code(build, 'first')).toEqual({ kind: 'code', code: 'first' })
  expect(await code(build, 'second')).toEqual({ kind: 'code', code: 'first' })
})

test('the sources of a bundle are not kept with it, the map to them is', async () => {
  const map = (one: object) =>
    `go()\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,${Buffer.from(JSON.stringify(one)).toString('base64')}`
  const bundled = { version: 3, mappings: 'AAAA', sources: ['a.ts'], sourcesContent: ['go()'] }
  const { sourcesContent: _, ...lean } = bundled
  expect(await code(buildOf(members, await adapterHash()), map(bundled))).toEqual({
    ...{ kind: 'code', code: map(lean) },
  })
})

test('a build of another Kyros is served with what that one bundled, and with nothing else', async () => {
  const other = buildOf(members, 'another adapter')
  expect(other.id).not.toBe(buildOf(members, await adapterHash()).id)
  expect(await code(other, 'ours')).toMatchObject({
    ...{ kind: 'missing', why: expect.stringContaining('another version of Kyros') },
  })
  // As a worker of that one keeps it.
  await code({ ...other, adapter: await adapterHash() }, 'theirs')
  expect(await code(other, 'ours')).toEqual({ kind: 'code', code: 'theirs' })
})

test('code for another series of the SDK is not executed', async () => {
  const build = buildOf(members, 'another adapter')
  const definition = { hash: `${build.id}.code`, name: 'kyros.build.code', version: '0.9', source: '' }
  await store.write({ kind: 'store_definition', definition: { ...definition, createdMs: 1 } })
  expect(await code(build, 'ours')).toEqual({
    kind: 'missing',
    why: `It was bundled with version 0.9 of Temporal's SDK, and this Kyros has ${sdkSeries()}.`,
  })
})
