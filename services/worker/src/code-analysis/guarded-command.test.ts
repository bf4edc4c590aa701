import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { defaultEnvironment } from './environment.ts'
import { runGuarded } from './guarded-command.ts'

const bounds = {
  cwd: tmpdir(),
  env: { PATH: defaultEnvironment.path },
  timeoutMs: 10_000,
  maxOutputBytes: 100_000,
  signal: AbortSignal.timeout(30_000),
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}

async function isGone(processId: number): Promise<boolean> {
  for (let tries = 0; tries < 100 && isAlive(processId); tries++) await sleep(20)
  return !isAlive(processId)
}

test('a command that ends gives its output and exit code', async () => {
  const result = await runGuarded({
    ...bounds,
    command: 'sh',
    args: ['-c', 'echo out; echo err >&2; exit 3'],
  })
  expect(result).toMatchObject({ ended: 'exited', exitCode: 3, stderr: 'err\n' })
  expect(result.stdout.toString()).toBe('out\n')
})

test('a command that takes too long is killed with everything it started', async () => {
  const result = await runGuarded({
    ...bounds,
    command: 'sh',
    args: ['-c', 'sleep 300 & echo $!; wait'],
    timeoutMs: 1_000,
  })
  expect(result.ended).toBe('timed_out')
  const grandchild = Number(result.stdout.toString())
  expect(grandchild).toBeGreaterThan(1)
  expect(await isGone(grandchild)).toBe(true)
})

test('what a command leaves behind is killed when it ends', async () => {
  const result = await runGuarded({
    ...bounds,
    command: 'sh',
    args: ['-c', 'sleep 300 >/dev/null 2>&1 & echo $!'],
  })
  expect(await isGone(Number(result.stdout.toString()))).toBe(true)
})

test('a command that says too much, or is not there, is told apart', async () => {
  expect((await runGuarded({ ...bounds, command: 'yes', args: [] })).ended).toBe('output_too_large')
  expect((await runGuarded({ ...bounds, command: 'no-such-program', args: [] })).ended).toBe('not_started')
})

test('an abort ends the command and is thrown on', async () => {
  const signal = AbortSignal.timeout(300)
  await expect(runGuarded({ ...bounds, command: 'sleep', args: ['300'], signal })).rejects.toThrow()
})
