import { expect, test } from 'vitest'
import { canCancel, canDelete, canRetry, canSetStatus, isTerminal, runStatuses } from './run-status.ts'

test('every status can be cancelled or retried, and never both', () => {
  for (const status of runStatuses) expect(canCancel({ status })).toBe(!canRetry({ status }))
})

test('a run is cancelled once', () => {
  expect(canCancel({ status: 'running', cancel_requested: true })).toBe(false)
})

test('a person can only move a job that has not ended, and only to cancelled', () => {
  for (const from of runStatuses) {
    for (const to of runStatuses) {
      expect(canSetStatus(from, to)).toBe(to === 'cancelled' && !isTerminal(from))
    }
  }
})

test('a running job is not deleted', () => {
  expect(canDelete({ status: 'running' })).toBe(false)
  expect(canDelete({ status: 'failed' })).toBe(true)
})
