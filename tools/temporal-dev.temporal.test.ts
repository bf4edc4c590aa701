import { expect, inject, test } from 'vitest'
import { readServerVersion } from './temporal-dev-server.ts'

test('tests get the address of a Temporal server that serves', async () => {
  expect(await readServerVersion(inject('testTemporalAddress'))).toMatch(/^1\.\d+\.\d+/)
})
