import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Figure, figure } from './figures.ts'
import { residentMb, startKyros, stopKyros } from './kyros-process.ts'
import type { BenchOptions } from './main.ts'

const viaNode = [process.execPath, 'cli/bin/kyros.js', 'up']
const viaNpm = ['npm', 'start', '--']

/**
 * How long a start takes with dependencies installed, a warm compile cache and an existing database, from node
 * itself and through npm, and how much memory the idle server holds.
 */
export async function benchStart({ quick }: BenchOptions): Promise<Figure[]> {
  const rounds = quick ? 3 : 5
  const dataDir = mkdtempSync(join(tmpdir(), 'kyros-bench-'))
  const readyMs: number[] = []
  const readyNpmMs: number[] = []
  const memoryMb: number[] = []
  try {
    await stopKyros(await startKyros(viaNode, dataDir))
    for (let round = 0; round < rounds; round++) {
      const direct = await startKyros(viaNode, dataDir)
      readyMs.push(direct.readyMs)
      await delay(500)
      memoryMb.push(residentMb(direct.child.pid ?? 0))
      await stopKyros(direct)
      const npm = await startKyros(viaNpm, dataDir)
      readyNpmMs.push(npm.readyMs)
      await stopKyros(npm)
      process.stderr.write(`bench: round ${round + 1} of ${rounds}\n`)
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
  const scale = `${rounds} starts`
  return [
    figure('start_ready', readyMs, 'ms', scale),
    figure('start_ready_npm', readyNpmMs, 'ms', scale),
    figure('start_memory', memoryMb, 'MB', scale),
  ]
}
