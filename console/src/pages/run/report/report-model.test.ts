import type { AnalysisFinding } from '@kyros/contract/analysis-report'
import { expect, test } from 'vitest'
import { countBy, filterFindings, formatScore, gradeOf, groupFindings } from './report-model.ts'

function finding(id: string, fields: Partial<AnalysisFinding>): AnalysisFinding {
  return {
    id,
    area: 'static',
    severity: 'low',
    rule: 'static/long-function',
    title: 'Long function',
    message: 'It has 200 lines.',
    file: 'src/a.ts',
    line: 1,
    fix_hint: 'Split it.',
    snippet: { start_line: 1, lines: [] },
    ...fields,
  }
}

const findings = [
  finding('1', {}),
  finding('2', {
    area: 'security',
    severity: 'critical',
    file: 'src/Shell.ts',
    rule: 'security/command-injection',
  }),
  finding('3', { severity: 'high' }),
]

test('the area with the worst finding comes first, and in it the worst findings', () => {
  const rows = groupFindings(findings).map((row) =>
    row.kind === 'finding' ? row.finding.id : Object.values(row),
  )
  expect(rows).toEqual([
    ['area', 'security', 1],
    ['severity', 'security', 'critical', 1],
    '2',
    ['area', 'static', 2],
    ['severity', 'static', 'high', 1],
    '3',
    ['severity', 'static', 'low', 1],
    '1',
  ])
})

test('a filter needs every word, whatever its case, in file, rule, title or message', () => {
  const ids = (filter: Parameters<typeof filterFindings>[1]) =>
    filterFindings(findings, filter).map(({ id }) => id)
  expect(ids({})).toEqual(['1', '2', '3'])
  expect(ids({ q: 'shell INJECTION' })).toEqual(['2'])
  expect(ids({ area: 'static', severity: 'high' })).toEqual(['3'])
  expect(ids({ q: 'nothing like it' })).toEqual([])
})

test('values without findings are not offered', () => {
  expect(countBy(findings, 'area', ['static', 'security', 'performance'])).toEqual([
    { value: 'static', count: 2 },
    { value: 'security', count: 1 },
  ])
})

test.each([
  [100, 'good'],
  [84.9, 'fair'],
  [59.9, 'poor'],
])('a score of %d is %s', (score, word) => {
  expect(gradeOf(score).word).toBe(word)
})

test('a score just short of full marks is not shown as full marks', () => {
  expect([100, 99.97, 97.5, 0].map(formatScore)).toEqual(['100', '99.9', '97.5', '0'])
})
