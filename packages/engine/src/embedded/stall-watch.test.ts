import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../fixtures/stalled-process.ts', import.meta.url))

test('who keeps the process from serving is said while it does, and the process goes on', async () => {
  const { stderr } = await promisify(execFile)(process.execPath, [script], { timeout: 30_000 })
  const lines = stderr.split('\n').filter((line) => line.startsWith('The server'))
  expect(lines).toEqual([
    expect.stringMatching(
      /^The server has stood still for .* definition greedy of run run-1 .*LEAVE_OUT=run-1/,
    ),
    expect.stringMatching(/^The server goes on after \d+ s/),
    expect.stringMatching(/^The server has stood still for .* step Grind of run run-1 keeps it/),
    expect.stringMatching(/^The server goes on after \d+ s/),
  ])
}, 40_000)
