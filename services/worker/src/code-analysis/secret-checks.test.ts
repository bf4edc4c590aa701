import { performance } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { FileUnderAnalysis } from './file-under-analysis.ts'
import type { RawFinding } from './finding.ts'
import { secretlintChecks } from './secret-checks.ts'
import { securityRules } from './security-rules.ts'

const token = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_')

test('secretlint leaves nothing behind in memory for the files it has looked at', async () => {
  const found: RawFinding[] = []
  const file = {
    index: 0,
    path: 'a.py',
    stored: '0/0000000.py',
    content: 'text',
    bytes: 60,
    lines: 1,
    language: 'Python',
    syntax: 'python',
    is_code: true,
    role: 'own',
    is_executable: false,
  } as const
  const subject = new FileUnderAnalysis(file, `TOKEN = "${token}"\n`, securityRules, (finding) =>
    found.push(finding),
  )
  expect(await secretlintChecks().file?.(subject)).toBe(true)
  expect(found).toHaveLength(1)
  expect(performance.getEntriesByType('mark')).toEqual([])
})
