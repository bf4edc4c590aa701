import type { AreaResult } from './finding.ts'
import type { AnalysisLimits } from './limits.ts'
import type { Manifest, SnapshotFile } from './manifest.ts'

/** What an external analyzer gets. It works on links to the snapshot's files in a directory made for it. */
export type ToolContext = {
  readonly manifest: Manifest
  readonly checkoutDirectory: string
  readonly scratch: string
  readonly limits: AnalysisLimits
  readonly signal: AbortSignal
}

export function isWrittenHere(file: SnapshotFile): boolean {
  return file.stored !== undefined && (file.role === 'own' || file.role === 'config')
}

/** A tool that did not run says why; it never looks like a tool that found nothing. */
export function toolSkipped(what: string, why: string, count = 1): AreaResult {
  return { findings: [], metrics: {}, ran: [], skipped: [{ what, why, count }] }
}
