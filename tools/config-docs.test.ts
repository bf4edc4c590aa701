import { expect, test } from 'vitest'
import { staleConfigFiles } from './config-docs.ts'

test('docs/configuration.md and .env.example are what the schemas say (else: node tools/config-docs.ts)', () => {
  expect(staleConfigFiles()).toEqual([])
})
