import { expect, test } from 'vitest'
import { maskSource } from './masked-source.ts'

test('comments and insides of strings become spaces, and every offset stays', () => {
  const text = 'a = "x // y" // "z"\nb = \'c\' /* d\n e */ f'
  const { code, bare, comments } = maskSource(text, 'c', 'JavaScript')
  expect(code).toBe('a = "x // y"       \nb = \'c\'     \n      f')
  expect(bare).toBe('a = "      "       \nb = \' \'     \n      f')
  expect(comments.map(({ start, end }) => text.slice(start, end))).toEqual(['// "z"', '/* d\n e */'])
})

test('a lifetime or an apostrophe does not open a string', () => {
  const text = "fn f<'a>(x: &'a str) { // it's\n g('\\n') }"
  expect(maskSource(text, 'c', 'Rust').code).toBe("fn f<'a>(x: &'a str) {        \n g('\\n') }")
})

test('Python texts in three quotes are strings over many lines', () => {
  const text = 'def f():\n  """eval(x)\n  # no comment"""\n  return 1 # yes'
  const { bare } = maskSource(text, 'python', 'Python')
  expect(bare).not.toContain('eval')
  expect(bare).toContain('return 1')
  expect(bare).not.toContain('yes')
})

test('a string that is never closed ends with its line', () => {
  expect(maskSource('a = "b\nc = eval(d)', 'hash', 'Ruby').bare).toContain('eval')
})
