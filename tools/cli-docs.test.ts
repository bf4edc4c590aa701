import { expect, test } from 'vitest'
import { isCliDocsCurrent } from './cli-docs.ts'

test('docs/cli.md is what the table of commands says (else: npm run cli-docs)', () => {
  expect(isCliDocsCurrent()).toBe(true)
})
