import type { AnalysisFinding, AnalysisReport } from '@kyros/contract/analysis-report'
import { expect, test } from 'vitest'
import { compareReports, formatChange } from './compare-reports.ts'

function finding(id: string, fields: Partial<AnalysisFinding> = {}): AnalysisFinding {
  return {
    id,
    area: 'static',
    severity: 'low',
    rule: 'static/long-function',
    title: 'Long function',
    message: `It has ${id} lines.`,
    file: 'src/a.ts',
    line: 1,
    fix_hint: 'Split it.',
    snippet: { start_line: 1, lines: [] },
    ...fields,
  }
}

function report(findings: AnalysisFinding[], fields: Partial<AnalysisReport> = {}): AnalysisReport {
  const score = (value: number) => ({ score: value, formula: '', inputs: {} })
  return {
    version: 1,
    repository: '/repository',
    commit: 'c'.repeat(40),
    types: ['static'],
    scores: { static: score(100 - findings.length), overall: score(100 - findings.length) },
    totals: {
      ...{ files: 1, lines: 1, bytes: 1, findings: findings.length, findings_cut: 0 },
      counts: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
    },
    languages: {},
    metrics: {},
    findings,
    tools: [],
    skipped: [],
    ...fields,
  }
}

function changes(now: AnalysisReport, before: AnalysisReport) {
  const { findings } = compareReports(now, before)
  const ids = (list: readonly AnalysisFinding[]) => list.map(({ id }) => id)
  return { new: ids(findings.new), unchanged: ids(findings.unchanged), fixed: ids(findings.fixed) }
}

test('findings are new, fixed or as they were', () => {
  const now = report([finding('1'), finding('3')])
  const before = report([finding('1'), finding('2')])
  expect(changes(now, before)).toEqual({ new: ['3'], unchanged: ['1'], fixed: ['2'] })
})

test('a finding whose line moved or changed is the same when it says the same', () => {
  const now = report([finding('b', { message: 'Same', line: 90 })])
  const before = report([finding('a', { message: 'Same', line: 4 })])
  expect(changes(now, before)).toEqual({ new: [], unchanged: ['b'], fixed: [] })
})

test('the same words in another file or of another rule are another finding', () => {
  const same = { message: 'Same' }
  const before = report([finding('a', same)])
  expect(changes(report([finding('b', { ...same, file: 'src/b.ts' })]), before)).toMatchObject({ new: ['b'] })
  expect(changes(report([finding('c', { ...same, rule: 'other' })]), before)).toMatchObject({ new: ['c'] })
})

test('of three that say the same, two fixed leave one', () => {
  const same = { message: 'Same' }
  const before = report([finding('a', same), finding('b', same), finding('c', same)])
  expect(changes(report([finding('d', same)]), before)).toEqual({
    new: [],
    unchanged: ['d'],
    fixed: ['b', 'c'],
  })
})

test('what has the same id is matched before what says the same', () => {
  const same = { message: 'Same' }
  const before = report([finding('a', same), finding('b', same)])
  expect(changes(report([finding('b', same)]), before)).toEqual({ new: [], unchanged: ['b'], fixed: ['a'] })
})

test('an area that only one of them looked at is left out, and so is the overall score', () => {
  const security = finding('s', { area: 'security' })
  const now = report([finding('1'), security], { types: ['static', 'security'] })
  const before = report([])
  expect(changes(now, before)).toEqual({ new: ['1'], unchanged: [], fixed: [] })
  expect(compareReports(now, before)).toMatchObject({
    leftOut: ['security'],
    scores: [{ area: 'static', before: 100, now: 98 }],
  })
})

test('scores compare from then to now', () => {
  const { scores } = compareReports(report([finding('1')]), report([]))
  expect(scores).toEqual([
    { area: 'overall', before: 100, now: 99 },
    { area: 'static', before: 100, now: 99 },
  ])
})

test('an area without a score is not compared', () => {
  const none = { score: null, why: 'Nothing to look at.', formula: '', inputs: {} }
  const now = report([], { scores: { static: none, overall: none } })
  expect(compareReports(now, report([])).scores).toEqual([])
})

test('a list that was cut makes the comparison partial', () => {
  const before = report([])
  const cut = report([], { totals: { ...before.totals, findings_cut: 3 } })
  expect(compareReports(before, before).isPartial).toBe(false)
  expect(compareReports(cut, before).isPartial).toBe(true)
  expect(compareReports(before, cut).isPartial).toBe(true)
})

test.each([
  [50, 51.24, '+1.2'],
  [51, 50.5, '−0.5'],
  [50, 50.04, '±0'],
])('a score that goes from %d to %d changed by %s', (before, now, words) => {
  expect(formatChange({ before, now })).toBe(words)
})
