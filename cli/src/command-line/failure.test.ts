import { ApiError } from '@kyros/client/api-error'
import { problem } from '@kyros/contract/problem'
import { ConfigError } from '@kyros/kernel/config/config-error'
import { DataDirectoryError } from '@kyros/store/open-error'
import { expect, test } from 'vitest'
import { CommandError } from './command-error.ts'
import { failureOf, twoLines } from './failure.ts'

test('a command error keeps its lines and its code', () => {
  expect(failureOf(new CommandError('It is so.', 'Do this.', 3))).toMatchObject({
    lines: ['It is so.', 'Do this.'],
    exitCode: 3,
  })
})

test.each([
  [0, 5],
  [401, 4],
  [403, 4],
  [404, 3],
  [422, 1],
  [500, 1],
])('an answer with status %i ends with %i', (status, code) => {
  const error = new ApiError({ code: 'job_not_found', title: 'Job not found', detail: 'Look again.', status })
  expect(failureOf(error)).toMatchObject({ lines: ['Job not found', 'Look again.'], exitCode: code })
})

test('the fields that are wrong are named', () => {
  const errors = [{ path: '/title', message: 'must not be empty' }]
  const failure = failureOf(problem('request_invalid', { detail: 'Mend it.', errors }))
  expect(failure.lines[0]).toContain('/title: must not be empty')
})

test.each(['workflow_unknown', 'workflow_input_invalid'] as const)('%s is wrong usage, told once', (code) => {
  const errors = [{ path: '/workflow', message: 'unknown workflow' }]
  const { lines, exitCode } = failureOf(problem(code, { detail: 'There is no workflow nope.', errors }))
  expect(exitCode).toBe(2)
  expect(lines.join(' ')).not.toContain('/workflow')
  expect(lines[1]).toBe('There is no workflow nope.')
})

test('every fault of a configuration has its two lines', () => {
  const faults = [
    { what: 'a', next: 'b' },
    { what: 'c', next: 'd' },
  ]
  expect(failureOf(new ConfigError(faults)).lines).toEqual(['a', '  b', 'c', '  d'])
})

test('an error of the store that was written for people is split after its first sentence', () => {
  const error = new DataDirectoryError('data_directory_locked', 'Process 12 uses it. Stop it first.')
  expect(failureOf(error)).toMatchObject({ lines: ['Process 12 uses it.', 'Stop it first.'], exitCode: 1 })
})

test('an address does not end a sentence', () => {
  expect(twoLines('Nothing at 127.0.0.1:1 answers. Start it.')[0]).toBe('Nothing at 127.0.0.1:1 answers.')
})

test('a bug shows its message and no stack', () => {
  const { lines } = failureOf(new TypeError('x is not a function\n    at somewhere'))
  expect(lines[0]).toBe('Something went wrong: x is not a function')
  expect(lines).toHaveLength(2)
})

test('a full disk and a file of somebody else are no bugs', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(failureOf(full).lines).toEqual([
    'There is no space left on the disk.',
    'Free some space and try again.',
  ])
  const denied = Object.assign(new Error('EACCES'), { code: 'EACCES', path: '/srv/kyros/server.json' })
  expect(failureOf(denied).lines[0]).toBe('/srv/kyros/server.json may not be written or read.')
})
