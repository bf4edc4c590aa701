import { expect, test } from 'vitest'
import { safeNext } from './safe-next.ts'

test('a page of the console is where one comes back to', () => {
  expect(safeNext('/runs/1?tab=logs')).toBe('/runs/1?tab=logs')
})

test.each([
  undefined,
  '',
  '//evil.example',
  '/\\evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  '/login',
])('%s leads home', (next) => {
  expect(safeNext(next)).toBe('/')
})
