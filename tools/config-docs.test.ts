import { expect, test } from 'vitest'
import { staleConfigFiles } from './config-docs.ts'

test('docs/configuration.md and .env.example are what the schemas say (else: npm run config-docs)', () => {
  expect(staleConfigFiles()).toEqual([])
})
