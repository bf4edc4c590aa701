import type { Run } from '@kyros/contract/run'
import { expect, test } from 'vitest'
import { createTerminal } from '../command-line/terminal.ts'
import { summaryLines } from './run-summary.ts'

const stream = { isTTY: false, columns: 80, write: () => true }
const terminal = createTerminal({ stdout: stream, stderr: stream, env: {} })

function summaryOf(result: unknown): string {
  const run = { id: 'r1', name: 'Analysis', status: 'completed', reason: null, started_at: null, error: null }
  // Only what a summary reads; the rest of a run says nothing here.
  return summaryLines(terminal, { ...run, result } as unknown as Run, 'kyros').join('\n')
}

test('full marks for a part do not look like full marks for the whole', () => {
  const result = { scores: { overall: 100 }, findings_total: 0, counts: {}, artifacts: ['report.md'] }
  expect(summaryOf({ ...result, files_unread: 150_000 })).toContain(
    'not read: 150000 files that are binary or beyond a limit',
  )
  expect(summaryOf({ ...result, files_unread: 0 })).not.toContain('not read')
  expect(summaryOf(result)).not.toContain('not read')
})

test('an area without a score says why', () => {
  const scores = { static: 90, performance: null, overall: null }
  const said = summaryOf({
    scores,
    not_scored: { performance: 'No code.' },
    findings_total: 0,
    artifacts: [],
  })
  expect(said).toContain('performance  not scored: No code.')
  expect(said).toMatch(/overall +not scored$/m)
})
