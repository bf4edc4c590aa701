import { expect, test } from 'vitest'
import { RecentMap } from './recent-map.ts'

test('what is used stays, what is not used goes, and what is pinned never goes', () => {
  const map = new RecentMap<{ pinned: boolean }>(10, ({ pinned }) => pinned)
  map.set('used', { pinned: false })
  map.set('pinned', { pinned: true })
  map.set('forgotten', { pinned: false })
  for (let index = 0; index < 100; index++) {
    map.set(`other ${index}`, { pinned: false })
    expect(map.get('used')).toEqual({ pinned: false })
    expect(map.size).toBeLessThanOrEqual(21)
  }
  expect(map.get('pinned')).toEqual({ pinned: true })
  expect(map.get('forgotten')).toBeUndefined()
  map.delete('pinned')
  expect(map.get('pinned')).toBeUndefined()
  map.clear()
  expect([map.size, map.get('used')]).toEqual([0, undefined])
})
