import { expect, test } from 'vitest'
import { kyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const timeout = 90_000

test('without a server those that come with Kyros and a fresh run are replayed, and none differs', {
  timeout,
}, async () => {
  const { code, output } = await kyros(['conform', '--data', temporaryDirectory()])
  expect(code).toBe(0)
  expect(output.trim().split('\n').at(-1)).toMatch(/^7\d histories of 3\d definitions, 0 differ$/)
})

test('a workflow without a run names the command that makes one', { timeout }, async () => {
  const { code, lines } = await kyros(['conform', 'deployment', '--data', temporaryDirectory()])
  expect(code).toBe(1)
  expect(lines[1]).toContain('run deployment --follow')
})
