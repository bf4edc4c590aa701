import { expect, test } from 'vitest'
import { chosenColumns } from './column-choice.ts'

const columns = [{ key: 'title' }, { key: 'status' }, { key: 'by', isExtra: true }]

test.each([
  ['everything but the extra columns is shown at first', null, ['title', 'status']],
  ['what was chosen is shown in the order of the columns', 'by,title', ['title', 'by']],
  ['the first column cannot be left out', 'by', ['title', 'by']],
  ['choosing nothing leaves the first', '', ['title']],
  ['a column that exists no more is passed over', 'title,gone', ['title']],
])('%s', (_fact, stored, keys) => {
  expect(chosenColumns(columns, stored).map(({ key }) => key)).toEqual(keys)
})
