import { expect, test } from 'vitest'
import { isWorkflowDocsCurrent, unexplainedFaults } from './workflow-docs.ts'

test('docs/workflows/reference.md is what the types say (else: npm run workflow-docs)', () => {
  expect(isWorkflowDocsCurrent()).toBe(true)
})

test('every fault of a workflow is explained to its author', () => {
  expect(unexplainedFaults()).toEqual([])
})
