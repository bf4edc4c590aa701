import { expect, test } from 'vitest'
import { pairsOf, searchOf, searchPairs } from './search-attributes.ts'

const kinds = {
  customer: 'keyword',
  size: 'int',
  share: 'double',
  urgent: 'bool',
  due: 'datetime',
  KyrosJob: 'keyword',
} as const
const record = { job_id: 'j', project_id: 'p', priority: 'high' }
const shown = (attributes: { [name: string]: string | number | boolean }) => {
  const { pairs, unfit } = searchPairs(searchOf(kinds, record) ?? { kinds, own: {} }, attributes)
  return [pairs.map(({ key, value }) => [key.name, key.type, value]), unfit]
}

test('nothing of a run is shown where nothing is listed, and of its own what is', () => {
  expect(searchOf({}, record)).toBeUndefined()
  expect(pairsOf(searchOf(kinds, record) ?? { kinds, own: {} })).toEqual([
    { key: { name: 'KyrosJob', type: 'KEYWORD' }, value: 'j' },
  ])
})

test('listed attributes are shown with their types, others and our own are not', () => {
  const dueAt = '2026-01-02T03:04:05.000Z'
  expect(
    shown({ customer: 7, size: 3, share: 0.5, urgent: true, due: dueAt, secret: 'x', KyrosJob: 'another' }),
  ).toEqual([
    [
      ['customer', 'KEYWORD', '7'],
      ['size', 'INT', 3],
      ['share', 'DOUBLE', 0.5],
      ['urgent', 'BOOL', true],
      ['due', 'DATETIME', new Date(dueAt)],
    ],
    [],
  ])
})

test('a value that is none of its type is named', () => {
  expect(shown({ size: 3.5, share: 'half', urgent: 'yes', due: 'soon' })).toEqual([
    [],
    ['size (int)', 'share (double)', 'urgent (bool)', 'due (datetime)'],
  ])
})

test('a keyword is cut to what an SQL index holds, between characters', () => {
  expect(shown({ customer: 'a'.repeat(256) })).toEqual([[['customer', 'KEYWORD', 'a'.repeat(255)]], []])
  const wide = '🐟'.repeat(128)
  expect(shown({ customer: wide })).toEqual([[['customer', 'KEYWORD', wide]], []])
})
