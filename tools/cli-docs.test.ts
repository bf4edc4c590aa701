import { expect, test } from 'vitest'
import { isCliDocsCurrent } from './cli-docs.ts'

test('docs/cli.md is what the table of commands says (else: node tools/cli-docs.ts)', () => {
  expect(isCliDocsCurrent()).toBe(true)
})
