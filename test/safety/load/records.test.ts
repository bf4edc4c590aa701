import { expect, test } from 'vitest'
import { parseRecords } from './records.ts'

test('a line that a kill cut off is left out, and one that is broken anywhere else is not', () => {
  const line = '{"kind":"cancel","run":"a"}\n'
  expect(parseRecords(`\n\n${line}{"kind":"can\n\n${line}`)).toHaveLength(2)
  expect(parseRecords(`${line}{"kind":"can`)).toHaveLength(1)
  expect(() => parseRecords(`${line}{"kind":"can\n${line}`)).toThrow(SyntaxError)
})
