import { type AnalysisFinding, type AnalysisReport, severities } from '@kyros/contract/analysis-report'
import { counted } from './quantity.ts'

const maxFindings = 50
const maxPerRule = 5
const maxLanguages = 12

/** The report for a person to read: scores, the findings that matter most, and what was not looked at. */
export function markdownOf(report: AnalysisReport): string {
  const sections = [
    heading(report),
    scoreTable(report),
    summary(report),
    topFindings(report),
    ruleTable(report),
    skippedList(report),
    toolTable(report),
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function heading(report: AnalysisReport): string {
  const where = [
    `Repository: ${code(report.repository)}`,
    `commit ${code(report.commit.slice(0, 18))}`,
    ...(report.branch === undefined ? [] : [`branch ${code(report.branch)}`]),
    ...(report.path === undefined ? [] : [`path ${code(report.path)}`]),
  ]
  return `# Code analysis\n\n${where.join(', ')}`
}

function scoreTable(report: AnalysisReport): string {
  const { scores } = report
  const areas = report.types.map((area) => [area, scores[area]] as const)
  const rows = areas.map(
    ([area, score]) =>
      `| ${area} | **${score?.score ?? 'none'}** | ${score?.why ?? inputsOf(score?.inputs)} | ${score?.formula ?? ''} |`,
  )
  return [
    scores.overall.score === null ? '## No score' : `## Score: ${scores.overall.score} of 100`,
    '',
    '| Area | Score | From | Formula |',
    '|---|---|---|---|',
    ...rows,
    `| overall | **${scores.overall.score ?? 'none'}** | ${scores.overall.why ?? ''} | ${scores.overall.formula} |`,
  ].join('\n')
}

function inputsOf(inputs: { [name: string]: number } | undefined): string {
  const shown = Object.entries(inputs ?? {}).filter(([name, value]) => value !== 0 && name !== 'weighted')
  return shown.map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`).join(', ')
}

function summary(report: AnalysisReport): string {
  const { totals } = report
  const languages = Object.entries(report.languages)
    .slice(0, maxLanguages)
    .map(([name, { files, lines }]) => `${name} (${lines} lines in ${files} files)`)
  const counts = severities.map((severity) => `${totals.counts[severity]} ${severity}`).join(', ')
  const metrics = Object.entries(report.metrics).flatMap(([area, values]) =>
    Object.entries(values)
      .filter(([name]) => name !== 'lines')
      .map(([name, value]) => `| ${area} | ${name.replaceAll('_', ' ')} | ${value} |`),
  )
  const cut = totals.findings_cut === 0 ? '' : ` ${totals.findings_cut} of them are counted but not listed.`
  const left = totals.files_unread ?? 0
  const unread =
    left === 0
      ? ''
      : ` **${counted(left, 'file was', 'files were')} not read or not analysed**; "Not looked at" says why.`
  return [
    '## What was read',
    '',
    `${totals.files} files, ${totals.lines} lines: ${languages.join(', ')}.${unread}`,
    '',
    `**${totals.findings} findings**: ${counts}.${cut}`,
    ...(metrics.length === 0 ? [] : ['', '| Area | Measure | Value |', '|---|---|---|', ...metrics]),
  ].join('\n')
}

/** The most severe first, and of each rule only a few: the hundredth long function teaches nothing. */
function topFindings(report: AnalysisReport): string {
  const perRule = new Map<string, number>()
  const shown = report.findings
    .filter(({ rule, severity }) => {
      const count = (perRule.get(rule) ?? 0) + 1
      perRule.set(rule, count)
      return severity !== 'info' && count <= maxPerRule
    })
    .slice(0, maxFindings)
  if (shown.length === 0) return '## Findings\n\nNothing to correct was found.'
  const parts = shown.map(findingPart)
  return `## Findings that matter most\n\n${parts.join('\n\n')}`
}

function findingPart(finding: AnalysisFinding): string {
  const { snippet } = finding
  const body = snippet.lines.map(
    (line, index) =>
      `${String(snippet.start_line + index).padStart(5)}${snippet.start_line + index === finding.line ? ' >' : '  '} ${line}`,
  )
  // A fence longer than any run of backticks inside cannot be closed from within.
  const longest = Math.max(0, ...[...body.join('\n').matchAll(/`+/g)].map((match) => match[0].length))
  const fence = '`'.repeat(Math.max(3, longest + 1))
  return [
    `### ${finding.severity}: ${text(finding.title)}`,
    '',
    `${code(`${finding.file}:${finding.line}`)} (${code(finding.rule)}): ${text(finding.message)}`,
    '',
    `${fence}text`,
    ...body,
    fence,
    '',
    `Fix: ${text(finding.fix_hint)}`,
  ].join('\n')
}

function ruleTable(report: AnalysisReport): string {
  const counts = new Map<string, { count: number; title: string; severity: string }>()
  for (const { rule, title, severity } of report.findings) {
    const known = counts.get(rule)
    if (known === undefined) counts.set(rule, { count: 1, title, severity })
    else known.count++
  }
  if (counts.size === 0) return ''
  const rows = [...counts].map(
    ([rule, { count, title, severity }]) => `| ${code(rule)} | ${text(title)} | ${severity} | ${count} |`,
  )
  return [
    '## All rules that were broken',
    '',
    '| Rule | What | Worst | Times |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function skippedList(report: AnalysisReport): string {
  if (report.skipped.length === 0) return '## Not looked at\n\nNothing was left out.'
  const rows = report.skipped.map(
    ({ area, what, why, count }) =>
      `- ${area}: ${text(what)}${count === undefined ? '' : ` (${count})`}: ${text(why)}`,
  )
  return ['## Not looked at', '', ...rows].join('\n')
}

function toolTable(report: AnalysisReport): string {
  const rows = report.tools.map(
    ({ area, name, version, files }) => `| ${area} | ${text(name)} | ${text(version)} | ${files} |`,
  )
  return ['## Tools', '', '| Area | Tool | Version | Files |', '|---|---|---|---|', ...rows].join('\n')
}

/** Names and messages come from the repository: nothing in them may become a link, an image or HTML. */
function text(value: string): string {
  return value.replace(/[\r\n]+/g, ' ').replace(/[\\`*[\]<>|!~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&')
}

function code(value: string): string {
  const clean = value.replace(/[\r\n]+/g, ' ').replaceAll('|', '\\|')
  const longest = Math.max(0, ...[...clean.matchAll(/`+/g)].map((match) => match[0].length))
  const fence = '`'.repeat(longest + 1)
  return longest === 0 ? `\`${clean}\`` : `${fence} ${clean} ${fence}`
}
