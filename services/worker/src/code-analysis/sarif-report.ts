import type { AnalysisFinding, AnalysisReport, AnalysisSeverity } from '@kyros/contract/analysis-report'

const levels: { readonly [severity in AnalysisSeverity]: 'error' | 'warning' | 'note' } = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
}
/** What code hosts sort security findings by. */
const securitySeverity: { readonly [severity in AnalysisSeverity]: string } = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
  info: '0.0',
}

/** The findings as SARIF 2.1.0. The same report always gives the same text. */
export function sarifOf(report: AnalysisReport): object {
  const ruleIds = [...new Set(report.findings.map(({ rule }) => rule))].sort()
  const firstOf = new Map<string, AnalysisFinding>()
  for (const finding of report.findings) if (!firstOf.has(finding.rule)) firstOf.set(finding.rule, finding)
  const rules = ruleIds.map((id) => firstOf.get(id)).filter((finding) => finding !== undefined)
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Kyros',
            semanticVersion: '1.0.0',
            rules: rules.map(sarifRule),
          },
        },
        automationDetails: { id: `code_analysis/${report.path ?? ''}` },
        ...(/^[0-9a-f]{40,64}$/.test(report.commit) && /^(https|ssh):\/\//.test(report.repository)
          ? { versionControlProvenance: [{ repositoryUri: report.repository, revisionId: report.commit }] }
          : {}),
        originalUriBaseIds: { SRCROOT: { description: { text: 'The top of the repository.' } } },
        columnKind: 'utf16CodeUnits',
        results: report.findings.map((finding) => sarifResult(finding, ruleIds)),
      },
    ],
  }
}

function sarifRule(finding: AnalysisFinding): object {
  return {
    id: finding.rule,
    name: pascalCase(finding.rule),
    shortDescription: { text: finding.title },
    fullDescription: { text: `${finding.title}.` },
    help: { text: finding.fix_hint, markdown: finding.fix_hint },
    defaultConfiguration: { level: levels[finding.severity] },
    properties: {
      tags: [finding.area],
      ...(finding.area === 'security' ? { 'security-severity': securitySeverity[finding.severity] } : {}),
    },
  }
}

function sarifResult(finding: AnalysisFinding, ruleIds: readonly string[]): object {
  const { snippet, line } = finding
  return {
    ruleId: finding.rule,
    ruleIndex: ruleIds.indexOf(finding.rule),
    level: levels[finding.severity],
    message: { text: `${finding.title}: ${finding.message} ${finding.fix_hint}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(finding.file), uriBaseId: 'SRCROOT' },
          region: {
            startLine: line,
            ...(finding.column === undefined ? {} : { startColumn: finding.column }),
            ...(finding.end_line === undefined ? {} : { endLine: finding.end_line }),
            snippet: { text: snippet.lines[line - snippet.start_line] ?? '' },
          },
        },
      },
    ],
    partialFingerprints: { 'kyros/v1': finding.id },
    properties: { severity: finding.severity, area: finding.area },
  }
}

/** A relative URI; a first segment with a colon would otherwise be read as a scheme. */
function uriOf(file: string): string {
  const encoded = file
    .split('/')
    .map((segment) => encodeURIComponent(segment.toWellFormed()))
    .join('/')
  return encoded === '' ? '.' : encoded
}

function pascalCase(rule: string): string {
  return rule
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}
