// Ends every test run with one line that people and CI read the same way: `N passed, N failed`. What failed is recorded
// beside the counts, so that a run of many parts can say it again at its end.
import { appendFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** As much of vitest's `TestModule` as counting needs. */
interface CountedModule {
  readonly relativeModuleId: string
  readonly state: () => string
  readonly errors: () => readonly { readonly message: string }[]
  readonly children: { readonly allTests: () => Iterable<CountedTest> }
}

interface CountedTest {
  readonly fullName: string
  readonly result: () => {
    readonly state: string
    readonly errors?: readonly { readonly message: string }[] | undefined
  }
}

interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** Counts tests; a file that could not even be read counts as one failure, and so does an error outside any test. */
export function countTests(modules: Iterable<CountedModule>, errors: number): Counts {
  const counts: Counts = { passed: 0, failed: errors, skipped: 0 }
  for (const module of modules) {
    let failedHere = 0
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') counts.passed++
      else if (state === 'failed') failedHere++
      else counts.skipped++
    }
    counts.failed += failedHere === 0 && module.state() === 'failed' ? 1 : failedHere
  }
  return counts
}

/** One text for each failure: the file, the test and the first error's message. */
export function failuresOf(
  modules: Iterable<CountedModule>,
  errors: readonly { message: string }[],
): string[] {
  const failures = errors.map((error) => `outside any test: ${error.message}`)
  for (const module of modules) {
    const file = module.relativeModuleId
    for (const test of module.children.allTests()) {
      const { state, errors: ofTest } = test.result()
      if (state === 'failed')
        failures.push(`${file} > ${test.fullName}: ${ofTest?.[0]?.message ?? 'no message'}`)
    }
    for (const error of module.errors()) failures.push(`${file}: ${error.message}`)
  }
  return failures
}

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts = countTests(modules, errors.length)
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
    const record = process.env.KYROS_TEST_COUNTS
    if (record)
      appendFileSync(record, `${JSON.stringify({ ...counts, failures: failuresOf(modules, errors) })}\n`)
  }
}
