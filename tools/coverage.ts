// What vitest loads to measure coverage, in its own process and in each that runs tests. Vitest's `autoAttachSubprocess`
// would seem to do the same, but it adds offsets in the transformed code to offsets in the source of the same file.
import v8 from '@vitest/coverage-v8'
import type { CoverageProviderModule } from 'vitest/node'
import { processDirectory } from './process-coverage.ts'

const coverage: CoverageProviderModule = {
  startCoverage(options) {
    // Read by Node in each thread and child that starts from here on, whatever environment the child is given.
    process.env.NODE_V8_COVERAGE = processDirectory(options.reportsDirectory)
    return v8.startCoverage?.(options)
  },
  takeCoverage: (options) => v8.takeCoverage?.(options),
  stopCoverage: (options) => v8.stopCoverage?.(options),
  async getProvider() {
    const { ProcessCoverageProvider } = await import('./coverage-provider.ts')
    return new ProcessCoverageProvider()
  },
}

export default coverage
