import { expect, test } from 'vitest'
import { kyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const timeout = 90_000

test('without a recorded run a fresh one is replayed, and the last line says that none differs', {
  timeout,
}, async () => {
  const { code, output } = await kyros(['conform', '--data', temporaryDirectory()])
  expect(code).toBe(0)
  expect(output.trim().split('\n').at(-1)).toBe('1 histories of 1 definitions, 0 differ')
})

test('a workflow without a run names the command that makes one', { timeout }, async () => {
  const { code, lines } = await kyros(['conform', 'deployment', '--data', temporaryDirectory()])
  expect(code).toBe(1)
  expect(lines[1]).toContain('run deployment --follow')
})
