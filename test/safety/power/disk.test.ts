import { expect, test } from 'vitest'
import { createRandom } from '../load/random.ts'
import { Disk, type Survival } from './disk.ts'
import type { Operation } from './recording.ts'

const root = '/disk'
const open = (path: string, isDirectory = false): Operation => ({
  kind: 'open',
  handle: path,
  path: `${root}/${path}`,
  isDirectory,
  isEmptied: false,
})
const write = (path: string, offset: number, text: string): Operation => ({
  kind: 'write',
  handle: path,
  offset,
  data: Buffer.from(text),
})
const sync = (path: string): Operation => ({ kind: 'sync', handle: path })
const openRoot: Operation = { kind: 'open', handle: 'root', path: root, isDirectory: true, isEmptied: false }

function left(operations: readonly Operation[], survival: Survival, seed = 1) {
  const disk = new Disk(root)
  for (const operation of operations) disk.apply(operation)
  const survivors = disk.survivors(survival, createRandom(seed))
  return Object.fromEntries(survivors.map(({ path, data }) => [path, data?.toString() ?? 'directory']))
}

const kept = [openRoot, open('a'), write('a', 0, 'one'), sync('a'), sync('root')]

test('a file is there once its bytes and its name are synced, and not before', () => {
  expect(left(kept.slice(0, 3), 'synced')).toEqual({})
  expect(left(kept.slice(0, 4), 'synced')).toEqual({})
  expect(left([openRoot, open('a'), write('a', 0, 'one'), sync('root')], 'synced')).toEqual({ a: '' })
  expect(left(kept, 'synced')).toEqual({ a: 'one' })
})

test('what is written after the last sync is gone, or there, or torn', () => {
  const all = [...kept, write('a', 3, 'two'.repeat(1000))]
  expect(left(all, 'synced')).toEqual({ a: 'one' })
  expect(left(all, 'all')).toEqual({ a: `one${'two'.repeat(1000)}` })
  const torn = Array.from({ length: 20 }, (_, seed) => left(all, 'torn', seed).a?.length ?? 0)
  expect(torn.some((length) => length > 3 && length < 3003)).toBe(true)
  const some = left(all, 'some').a ?? ''
  expect([some.startsWith('one'), some.includes('\0'), some.includes('two')]).toEqual([true, true, true])
})

test('a rename that is not synced leaves the old name, and what is in a lost directory is lost', () => {
  const rename: Operation = { kind: 'rename', from: `${root}/a`, to: `${root}/b` }
  expect(left([...kept, rename], 'synced')).toEqual({ a: 'one' })
  expect(left([...kept, rename, sync('root')], 'synced')).toEqual({ b: 'one' })
  const folder: Operation[] = [{ kind: 'make_directory', path: `${root}/f` }, open('f', true)]
  const inside = [...folder, open('f/c'), write('f/c', 0, 'in'), sync('f/c'), sync('f')]
  expect(left([openRoot, ...inside], 'synced')).toEqual({})
  expect(left([openRoot, ...inside, sync('root')], 'synced')).toEqual({ f: 'directory', 'f/c': 'in' })
})

test('what was cut off does not come back when the file grows again', () => {
  const cut: Operation = { kind: 'resize', handle: 'a', size: 1, onlyGrows: false }
  expect(left([...kept, cut, write('a', 2, 'x'), sync('a')], 'synced')).toEqual({ a: 'o\0x' })
})
