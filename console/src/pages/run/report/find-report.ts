import type { Artifact } from '@kyros/contract/run'

/** The files of a report by what they are for. */
export type ReportFiles = { json: Artifact; sarif: Artifact | undefined; markdown: Artifact | undefined }

/** The report among the files of a run, if it left one. */
export function findReport(artifacts: readonly Artifact[]): ReportFiles | undefined {
  const json = artifacts.find(({ name }) => name === 'report.json')
  if (json === undefined) return undefined
  return {
    json,
    sarif: artifacts.find(({ name }) => name.endsWith('.sarif') || name.endsWith('.sarif.json')),
    markdown: artifacts.find(({ name }) => name.endsWith('.md')),
  }
}
