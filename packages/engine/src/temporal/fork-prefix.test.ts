import type { NewRunEvent } from '@kyros/store/command'
import { expect, test } from 'vitest'
import { mustBePlayable } from './fork-prefix.ts'

const waited: NewRunEvent = {
  type: 'waitpoint.created',
  timeMs: 1,
  data: { waitpoint: 'approval', command: 1 },
}
const scheduled: NewRunEvent = {
  type: 'step.scheduled',
  timeMs: 2,
  data: { step: 'First', key: 'First', command: 2, input: null, max_attempts: 1 },
}

test('a waitpoint before the step is not taken over, and the answer names it', () => {
  expect(() => mustBePlayable([waited, scheduled], 'run-1')).toThrow(
    expect.objectContaining({
      code: 'run_fork_unsupported',
      status: 422,
      message: expect.stringContaining('the run run-1 has a waitpoint'),
    }),
  )
  expect(() => mustBePlayable([scheduled], 'run-1')).not.toThrow()
})

test('what an earlier part of the run asked for is not in the way', () => {
  const continued: NewRunEvent = {
    type: 'run.continued',
    timeMs: 2,
    data: { input: null, definition: 'd', version: '1.0.0', carried: [], part: 1 },
  }
  expect(() => mustBePlayable([waited, continued, scheduled], 'run-1')).not.toThrow()
})
