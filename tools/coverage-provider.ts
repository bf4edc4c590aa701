import { readFileSync } from 'node:fs'
import { V8CoverageProvider } from '@vitest/coverage-v8/dist/provider.js'
import type { ReportContext } from 'vitest/node'
import { addHits, processDirectory, readHits } from './process-coverage.ts'

/** Vitest's own provider, and what ran in the processes and threads that tests started: one result, one threshold. */
export class ProcessCoverageProvider extends V8CoverageProvider {
  override async generateCoverage(context: ReportContext) {
    const map = await super.generateCoverage(context)
    const hits = readHits(processDirectory(this.options.reportsDirectory), (path) => this.isIncluded(path))
    for (const [path, fileHits] of hits) {
      if (map.files().includes(path)) {
        addHits(map.fileCoverageFor(path).data, readFileSync(path, 'utf8'), fileHits)
      }
    }
    return map
  }
}
