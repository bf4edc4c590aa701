// Ends every test run with one line that people and CI read the same way: `N passed, N failed`.
import { appendFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** As much of vitest's `TestModule` as counting needs. */
interface CountedModule {
  readonly state: () => string
  readonly children: {
    readonly allTests: () => Iterable<{ readonly result: () => { readonly state: string } }>
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

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts = countTests(modules, errors.length)
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
    const record = process.env.KYROS_TEST_COUNTS
    if (record) appendFileSync(record, `${JSON.stringify(counts)}\n`)
  }
}
