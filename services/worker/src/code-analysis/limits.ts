/** Every bound of an analysis. What lies beyond one is counted and named in the report, never dropped silently. */
export type AnalysisLimits = {
  /** Files read and analysed; the first ones in path order. */
  readonly maxFiles: number
  /** Files of a tree that are looked at to be counted at all. */
  readonly maxListedFiles: number
  readonly maxFileBytes: number
  readonly maxTotalBytes: number
  /** Folders inside folders. */
  readonly maxDepth: number
  /** What a clone may download. */
  readonly maxFetchBytes: number
  readonly fetchTimeoutMs: number
  /** One Git command that only reads. */
  readonly gitTimeoutMs: number
  /** One area as a whole. */
  readonly areaTimeoutMs: number
  /** One external analyzer. */
  readonly toolTimeoutMs: number
  /** One file in our own analyzers; a slower one is left out and named. */
  readonly fileTimeoutMs: number
  readonly analyzerMemoryMb: number
  /** Findings kept per area, most severe first. */
  readonly maxFindings: number
}

export const defaultLimits: AnalysisLimits = {
  maxFiles: 50_000,
  maxListedFiles: 1_000_000,
  maxFileBytes: 2_000_000,
  maxTotalBytes: 1_000_000_000,
  maxDepth: 64,
  maxFetchBytes: 2_000_000_000,
  fetchTimeoutMs: 600_000,
  gitTimeoutMs: 120_000,
  areaTimeoutMs: 900_000,
  toolTimeoutMs: 120_000,
  fileTimeoutMs: 15_000,
  analyzerMemoryMb: 1_536,
  maxFindings: 5_000,
}
