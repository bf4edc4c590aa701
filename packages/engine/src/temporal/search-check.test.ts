import { expect, test } from 'vitest'
import { searchFault } from './search-check.ts'

const where = { at: 'Temporal at t:7233', namespace: 'n' }
const [keyword, int] = [2, 3]

test('a namespace that has all that is configured takes it', () => {
  expect(searchFault({}, {}, where)).toBeUndefined()
  const customAttributes = { customer: keyword, size: int, another: int }
  expect(searchFault({ customer: 'keyword', size: 'int' }, { customAttributes }, where)).toBeUndefined()
})

test('what is missing is named, with the command that registers it', () => {
  const customAttributes = { size: int }
  const wanted = { customer: 'keyword', size: 'int', due: 'datetime' } as const
  expect(searchFault(wanted, { customAttributes }, where)).toEqual({
    code: 'temporal_refused',
    what: 'Temporal at t:7233 has no search attribute customer, due in the namespace n.',
    mend: 'Register it (temporal operator search-attribute create --namespace n --name customer --type Keyword --name due --type Datetime), or take it out of temporal.search_attributes.',
  })
})

test('another type, and a name of Temporal itself, are told', () => {
  expect(searchFault({ size: 'keyword' }, { customAttributes: { size: int } }, where)?.what).toBe(
    'Temporal at t:7233 has the search attribute size in the namespace n, but not as Keyword.',
  )
  expect(searchFault({ RunId: 'keyword' }, { systemAttributes: { RunId: keyword } }, where)?.what).toBe(
    'Temporal at t:7233 has a search attribute RunId of its own.',
  )
})
