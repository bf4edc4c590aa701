import { spawn } from 'node:child_process'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openStore } from '@kyros/store/open-store'
import { expect, test } from 'vitest'

const child = fileURLToPath(new URL('../fixtures/crash-child.ts', import.meta.url))

/** Starts the process; `accepted` grows with each run that it acknowledged. */
function start(dir: string, runs: number) {
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe']
  const process_ = spawn(process.execPath, [child, dir, String(runs)], { stdio })
  const accepted: string[] = []
  let complaint = ''
  let isGone = false
  let isIdle = false
  const gone = new Promise<void>((resolve) => {
    process_.once('exit', () => {
      isGone = true
      resolve()
    })
  })
  process_.stderr.on('data', (text) => {
    complaint += text
  })
  createInterface({ input: process_.stdout }).on('line', (line) => {
    if (line.startsWith('accepted ')) accepted.push(line.slice(9))
    if (line === 'idle') isIdle = true
  })
  const until = async (holds: () => boolean) => {
    while (!holds()) {
      if (isGone) throw new Error(`the process ended by itself: ${complaint}`)
      await delay(2)
    }
  }
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    process_.kill(signal)
    await gone
  }
  return { accepted, until, idle: () => until(() => isIdle), end }
}

test('after kill -9 in the middle every acknowledged run ends, and no completed step is done again', {
  timeout: 60_000,
}, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-kill-'))
  const dataDir = join(dir, 'data')
  const accepted = new Set<string>()
  for (const killAfterMs of [0, 40, 90]) {
    const victim = start(dir, 200)
    await victim.until(() => victim.accepted.length >= 20)
    await delay(killAfterMs)
    await victim.end('SIGKILL')
    for (const runId of victim.accepted) accepted.add(runId)
  }
  const completedBefore = await completedSteps(dataDir, accepted)
  const doneBefore = (await readFile(join(dir, 'steps.log'), 'utf8')).split('\n')
  const survivor = start(dir, 0)
  await survivor.idle()
  await survivor.end('SIGTERM')
  const store = await openStore({ dataDir })
  for (const runId of accepted) expect((await store.runs.get(runId))?.status).toBe('completed')
  await store.close()
  const doneAfter = (await readFile(join(dir, 'steps.log'), 'utf8')).split('\n').slice(doneBefore.length - 1)
  expect(completedBefore.size).toBeGreaterThan(0)
  expect(doneAfter.filter((line) => completedBefore.has(line))).toEqual([])
})

async function completedSteps(dataDir: string, runs: Iterable<string>): Promise<Set<string>> {
  const store = await openStore({ dataDir })
  const completed = new Set<string>()
  for (const runId of runs) {
    for (const event of await store.events.ofRun(runId)) {
      if (event.type === 'step.completed') completed.add(`${runId} ${event.data.step}`)
    }
  }
  await store.close()
  return completed
}
