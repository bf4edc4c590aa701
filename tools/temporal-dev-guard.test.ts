import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAlive } from './setup-state.js'
import { spawnGuarded } from './temporal-dev-guard.ts'

const place = { cwd: tmpdir(), env: { PATH: process.env.PATH } }
const shell = (script: string) => spawnGuarded(['sh', '-c', script], place)

test('the exit code of the command is handed on', async () => {
  expect(await shell('exit 7').ended).toBe(7)
  expect(await shell('exit 0').ended).toBe(0)
})

test('a command that does not exist ends at once', async () => {
  expect(await spawnGuarded(['/nonexistent/command'], place).ended).toBe(127)
})

test('stopping gives the command time to end by itself', async () => {
  const { child, ended, stop } = shell(
    `trap 'echo tidied; exit 3' TERM; echo ready; while :; do sleep 0.05; done`,
  )
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk))
  await once(child.stdout ?? child, 'data')
  await stop()
  expect(await ended).toBe(3)
  expect(output).toContain('tidied')
})

test('the command and its children die with an owner that was killed', async () => {
  const module = JSON.stringify(join(import.meta.dirname, 'temporal-dev-guard.ts'))
  const script = `
    import { spawnGuarded } from ${module}
    const { child } = spawnGuarded(['sh', '-c', 'sleep 300 & echo $$ $!; wait'], { cwd: '/', env: process.env })
    child.stdout.pipe(process.stdout)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(owner.stdout, 'data')
  const pids = String(line).trim().split(' ').map(Number)
  expect(pids.map(isAlive)).toEqual([true, true])
  owner.kill('SIGKILL')
  await expect.poll(() => pids.some(isAlive), { timeout: 5000 }).toBe(false)
})
