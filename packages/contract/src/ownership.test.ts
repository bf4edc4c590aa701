import { expect, test } from 'vitest'
import { mayActOn } from './ownership.ts'

const keys = [{ id: 'k1' }]

test.each([
  ['the owner in person', 'operator', 'user:u1', true],
  ['the owner, who used a key', 'operator', 'key:k1', true],
  ['somebody else', 'operator', 'user:u2', false],
  ['somebody else with a key of the same kind', 'operator', 'key:k2', false],
  ['an admin', 'admin', 'user:u2', true],
  ['the owner who may only look by now', 'viewer', 'user:u1', false],
] as const)('%s may change it or not', (_who, role, owner, may) => {
  expect(mayActOn({ userId: 'u1', role }, owner, keys)).toBe(may)
})
