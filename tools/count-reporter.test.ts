import { expect, test } from 'vitest'
import { countTests, failuresOf } from './count-reporter.ts'

/** As much of vitest's module as counting looks at. */
function moduleOf(state: string, tests: string[]) {
  const errors = [{ message: 'expected 1 to be 2' }]
  const children = {
    allTests: () => tests.map((test) => ({ fullName: 'adds', result: () => ({ state: test, errors }) })),
  }
  return { relativeModuleId: 'sum.test.ts', state: () => state, errors: () => [], children }
}

test('passed, failed and skipped tests are counted apart', () => {
  const modules = [moduleOf('failed', ['passed', 'failed', 'skipped']), moduleOf('passed', ['passed'])]
  expect(countTests(modules, 0)).toEqual({ passed: 2, failed: 1, skipped: 1 })
})

test('a file that cannot be read is a failure', () => {
  expect(countTests([moduleOf('failed', [])], 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('a file whose hooks fail after its tests passed is a failure', () => {
  expect(countTests([moduleOf('failed', ['passed'])], 0)).toEqual({ passed: 1, failed: 1, skipped: 0 })
})

test('an error outside any test is a failure', () => {
  expect(countTests([moduleOf('passed', ['passed'])], 1)).toEqual({ passed: 1, failed: 1, skipped: 0 })
})

test('a failure is told with its file, its test and its message', () => {
  expect(failuresOf([moduleOf('failed', ['passed', 'failed'])], [{ message: 'gone' }])).toEqual([
    'outside any test: gone',
    'sum.test.ts > adds: expected 1 to be 2',
  ])
})

test('a file that cannot be read is told with its error', () => {
  const module = { ...moduleOf('failed', []), errors: () => [{ message: 'no such file' }] }
  expect(failuresOf([module], [])).toEqual(['sum.test.ts: no such file'])
})
