import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { plants } from './plants.ts'

const program = new URL('./run-simulation.ts', import.meta.url).pathname

/** In a process of its own: the simulation replaces its globals. */
async function simulation(...args: string[]): Promise<string[]> {
  // A failed command's lines say what failed in which world; its error alone says nothing.
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
    timeout: 100_000,
  }).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => ({ stdout: `${stdout}${stderr}` }))
  return stdout.trim().split('\n')
}

test('nothing is lost or doubled in worlds of crashes and outages', async () => {
  const lines = await simulation('--seeds', '60')
  expect(lines).toEqual(['60 rounds, 0 lost, 0 doubled'])
}, 120_000)

test('a seed gives the same world whatever was before it, and others give others', async () => {
  const worlds = async (first: number, count: number) => {
    const args = ['--seeds', String(count), '--first', String(first), '--fingerprints']
    return (await simulation(...args)).slice(0, -1)
  }
  const [all, some] = await Promise.all([worlds(100, 40), worlds(125, 15)])
  expect(some).toEqual(all.slice(25))
  expect(new Set(all.map((line) => line.split(', ').at(-1))).size).toBe(40)
}, 120_000)

test('a trace has every happening of its seed', async () => {
  const lines = await simulation('--seed', '100', '--trace')
  expect(lines.at(-1)).toBe('1 rounds, 0 lost, 0 doubled')
  expect(lines.filter((line) => line.includes('applied: submit_job')).length).toBeGreaterThan(0)
}, 120_000)

test('every fault that is built in on purpose is found', async () => {
  // Every change of the engine deals the worlds anew: the rarest fault needs some 60 of them, and has needed 150.
  const lines = await simulation('--plant', 'all', '--seeds', '300')
  const found = lines.filter((line) => line.includes(': found by seed'))
  expect(found.map((line) => line.split(':')[0])).toEqual(Object.keys(plants))
}, 120_000)
