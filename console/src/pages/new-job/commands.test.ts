import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cliCommand, curlCommand, shellQuote } from './commands.ts'

test('the commands say the same as the form', () => {
  const job = {
    title: "Ada's repo",
    workflow: 'code_analysis',
    priority: 'high' as const,
    input: { repository: '/x' },
  }
  expect(cliCommand(job)).toBe(
    `kyros jobs submit 'Ada'\\''s repo' --workflow code_analysis --priority high --input '{"repository":"/x"}' --follow`,
  )
  expect(cliCommand({ ...job, priority: 'medium' })).toBe(
    `kyros run code_analysis --title 'Ada'\\''s repo' --input '{"repository":"/x"}' --follow`,
  )
  expect(curlCommand('http://127.0.0.1:8000', job)).toContain(`"title":"Ada'\\''s repo"`)
})

test('the usual priority is not spelled out', () => {
  expect(cliCommand({ workflow: 'x', priority: 'medium' })).toBe('kyros run x --follow')
})

test('a shell reads a quoted text as it was', () => {
  const texts = fc
    .sample(fc.string({ unit: 'binary', maxLength: 20 }), 20)
    .filter((text) => !text.includes('\0'))
  for (const text of texts) {
    const read = execFileSync('sh', ['-c', `printf %s ${shellQuote(text)}`], { encoding: 'utf8' })
    expect(read).toBe(text)
  }
})
