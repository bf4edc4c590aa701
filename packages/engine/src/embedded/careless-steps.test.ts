import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../fixtures/careless-process.ts', import.meta.url))

test('no error that a step or a definition leaves behind ends the process, and each is told with its run', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 30_000 })
  const nothing = expect.stringContaining('cannot be shown')
  expect(JSON.parse(stdout)).toEqual({
    null_thrown: { status: 'failed', error: nothing, lines: [] },
    rejects_later: { status: 'completed', error: null, lines: [nothing] },
    rejects_after_its_end: {
      status: 'completed',
      error: null,
      lines: ['Nothing handled this error: Error: late'],
    },
    writes_without_waiting: {
      status: 'completed',
      error: null,
      lines: [expect.stringContaining('name of a stream')],
    },
    throws_in_a_callback: {
      status: 'failed',
      error: expect.stringContaining('ENOENT'),
      lines: [expect.stringContaining('A callback of this step threw: Error: ENOENT')],
    },
    definition_throws_in_a_callback: {
      kind: 'blocked',
      detail: 'The definition threw Error: in a callback',
    },
  })
}, 40_000)
