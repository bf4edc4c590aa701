import { closeSync, cpSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ProblemError } from '@kyros/contract/problem'
import { DataDirectoryError } from '@kyros/store/open-error'
import { openStore } from '@kyros/store/open-store'
import type { Random } from '../load/random.ts'
import { startLoad } from '../load/start-load.ts'
import { checkHistory } from '../model/check-history.ts'
import { addFindings, type Findings, noFindings } from '../model/findings.ts'
import { loadOptions, type Scenario } from './scenario.ts'

const readyMs = 30_000
const variants = 24

type Damage = {
  name: string
  file: 'kyros.db' | 'kyros.db-wal'
  act: (fd: number, size: number, random: Random) => void
}

const garbage = (random: Random, bytes: number) =>
  Buffer.from(Array.from({ length: bytes }, () => random.integer(0, 256)))

const damages: readonly Damage[] = [
  {
    name: 'the log is cut off',
    file: 'kyros.db-wal',
    act: (fd, size, random) => ftruncateSync(fd, random.integer(0, size)),
  },
  {
    name: 'the end of the log is garbled',
    file: 'kyros.db-wal',
    act: (fd, size, random) => {
      const bytes = random.integer(1, 20_000)
      writeSync(fd, garbage(random, bytes), 0, bytes, Math.max(0, size - bytes))
    },
  },
  {
    name: 'the log is garbled in the middle',
    file: 'kyros.db-wal',
    act: (fd, size, random) => void writeSync(fd, garbage(random, 64), 0, 64, random.integer(0, size)),
  },
  {
    name: 'the database is cut off',
    file: 'kyros.db',
    act: (fd, size, random) => ftruncateSync(fd, size - random.integer(1, Math.min(size, 100_000))),
  },
  {
    name: 'the end of the database is garbled',
    file: 'kyros.db',
    act: (fd, size, random) => {
      const bytes = random.integer(1, 20_000)
      writeSync(fd, garbage(random, bytes), 0, bytes, Math.max(0, size - bytes))
    },
  },
  {
    name: 'the beginning of the database is garbled',
    file: 'kyros.db',
    act: (fd) => void writeSync(fd, Buffer.alloc(64, 7), 0, 64, 0),
  },
]

/**
 * A killed process's files are cut off or garbled: the store opens with what is whole, and then all of it agrees, or it
 * refuses and says what to do.
 */
export const damagedTail: Scenario = async (directory, random) => {
  const options = loadOptions(directory, random)
  const child = startLoad(options)
  await child.until('ready', readyMs)
  await delay(1_500)
  await child.end('SIGKILL')
  const findings = noFindings()
  const outcomes = new Map<string, number>()
  for (let variant = 0; variant < variants; variant++) {
    const damage = damages[variant % damages.length]
    if (damage === undefined) continue
    const dataDir = join(directory, `damaged-${variant}`)
    cpSync(options.dataDir, dataDir, { recursive: true })
    apply(damage, join(dataDir, damage.file), random)
    const { outcome, found } = await inspect(dataDir)
    const line = `${damage.name}: ${outcome}`
    outcomes.set(line, (outcomes.get(line) ?? 0) + 1)
    for (const kind of ['lost', 'doubled', 'wrong'] as const) {
      found[kind] = found[kind].map((one) => `${damage.name} (damaged-${variant}): ${one}`)
    }
    addFindings(findings, found)
  }
  for (const [line, count] of outcomes) console.log(`  ${count} × ${line}`)
  return findings
}

function apply({ act }: Damage, file: string, random: Random): void {
  const fd = openSync(file, 'r+')
  act(fd, statSync(file).size, random)
  closeSync(fd)
}

async function inspect(dataDir: string): Promise<{ outcome: string; found: Findings }> {
  try {
    const store = await openStore({ dataDir })
    try {
      // Nothing is said of what was acknowledged: the model alone, that all which is there agrees.
      const found = await checkHistory(store, [], false)
      return { outcome: 'opens with what is whole', found }
    } finally {
      await store.close()
    }
  } catch (error) {
    if (error instanceof DataDirectoryError) {
      const again = await openStore({ dataDir }).catch((second: unknown) => second)
      const isFirm = again instanceof DataDirectoryError && again.code === error.code
      const wrong = isFirm ? [] : ['it refused once, and not the second time']
      return { outcome: `refuses: ${error.code}`, found: { ...noFindings(), wrong } }
    }
    // Damage that shows only where it is read is an outage with the same advice, and nothing else is.
    if (error instanceof ProblemError && error.code === 'store_unavailable')
      return { outcome: `opens, and reads answer ${error.code}`, found: noFindings() }
    return { outcome: 'fails', found: { ...noFindings(), wrong: [`it failed: ${String(error)}`] } }
  }
}
