import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { adapterHash } from './adapter-hash.ts'
import { buildOf, storeBuild } from './builds.ts'
import { NeededBuilds } from './needed-builds.ts'

let store: Store
beforeEach(async () => {
  store = await openStore({ dataDir: ':memory:' })
})
afterEach(() => store.close())

const [ended, live] = ['a'.repeat(64), 'b'.repeat(64)]

test('the newest builds are served, and of older ones those that the cluster has runs on', async () => {
  const own = await adapterHash()
  const builds = {
    idle: buildOf({ w: ended }, 'older'),
    drained: buildOf({ w: live }, 'older'),
    busy: buildOf({ w: live }, 'old'),
    ours: buildOf({ w: live }, own),
    theirs: buildOf({ w: live }, 'newer'),
  }
  const asked: string[] = []
  let nowMs = 0
  let busyRuns = 1
  for (const [index, build] of Object.values(builds).entries()) await storeBuild(store, build, index)
  const runs = { countByDefinition: async () => new Map([[live, 2]]) }
  const needed = new NeededBuilds({
    store: { definitions: store.definitions, runs },
    clock: { nowMs: () => nowMs },
    countRuns: async (id) => {
      asked.push(id)
      return id === builds.busy.id ? busyRuns : 0
    },
  })
  const names = async () => {
    const read = await needed.read()
    return Object.entries(builds).flatMap(([name, { id }]) =>
      read.some((one) => one.id === id) ? [name] : [],
    )
  }
  expect(await names()).toEqual(['busy', 'ours', 'theirs'])
  busyRuns = 0
  expect(await names()).toEqual(['busy', 'ours', 'theirs'])
  // A run may begin on one that had none: that is asked each time.
  expect(asked).toEqual([builds.busy.id, builds.drained.id, builds.drained.id])
  nowMs = 10_000
  expect(await names()).toEqual(['ours', 'theirs'])
})

test('a build is served where the cluster does not say that it has no runs', async () => {
  const [old, newest] = [buildOf({ w: live }, 'old'), buildOf({ w: live }, 'new')]
  await storeBuild(store, old, 1)
  await storeBuild(store, newest, 2)
  const runs = { countByDefinition: async () => new Map([[live, 1]]) }
  const needed = new NeededBuilds({
    store: { definitions: store.definitions, runs },
    clock: { nowMs: () => 0 },
    countRuns: async () => {
      throw new Error('not now')
    },
  })
  expect((await needed.read()).map(({ id }) => id)).toEqual([newest.id, old.id])
})
