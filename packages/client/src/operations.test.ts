import { api } from '@kyros/contract/api'
import { expect, test } from 'vitest'
import { operations } from './operations.ts'

test('the table holds every operation of the contract, with its method, path and repeatability', () => {
  const declared = Object.entries(api).map(([id, route]) => [
    id,
    { method: route.method, path: route.path, ...('idempotent' in route ? { idempotent: true } : {}) },
  ])
  expect(operations).toEqual(Object.fromEntries(declared))
})
