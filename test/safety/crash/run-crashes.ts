// `npm run test:crash -- --rounds N --store sqlite|postgres [--seed S]`: kills a process under load again and again and
// checks that everything it acknowledged is there, once. The last line is `N rounds, L lost, D doubled`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openStore } from '@kyros/store/open-store'
import { startDatabases } from '../load/databases.ts'
import type { LoadOptions } from '../load/load-process.ts'
import { createRandom, type Random } from '../load/random.ts'
import { readRecords } from '../load/records.ts'
import { startLoad } from '../load/start-load.ts'
import { checkHistory } from '../model/check-history.ts'
import { addFindings, describe, type Findings, isClean, noFindings } from '../model/findings.ts'

/** Rounds on one database, before it is brought to rest and checked: its history has to fit into memory. */
const roundsPerDatabase = 20
const openRuns = 48
const settleMs = 90_000
const readyMs = 30_000
const leaseTtlMs = 1_000

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, store: { type: 'string' }, seed: { type: 'string' } },
})
const rounds = Number(values.rounds ?? 10)
const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
const isPostgres = values.store === 'postgres'
if (!Number.isInteger(rounds) || rounds < 1 || !['sqlite', 'postgres', undefined].includes(values.store)) {
  console.error('usage: npm run test:crash -- --rounds N --store sqlite|postgres [--seed S]')
  process.exit(2)
}

const random = createRandom(seed)
const databases = isPostgres ? await startDatabases() : undefined
const findings = noFindings()
const startedMs = Date.now()
console.log(`seed ${seed}, ${isPostgres ? 'PostgreSQL' : 'SQLite'}`)
let done = 0
try {
  while (done < rounds) {
    const count = Math.min(roundsPerDatabase, rounds - done)
    addFindings(findings, await crashOne(count))
    done += count
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
    console.log(`${done} of ${rounds} rounds, ${seconds} s`)
    if (!isClean(findings)) break
  }
} finally {
  await databases?.stop()
}
for (const line of describe(findings)) console.log(line)
if (findings.wrong.length > 0) console.log(`${findings.wrong.length} wrong, see above`)
console.log(`${done} rounds, ${findings.lost.length} lost, ${findings.doubled.length} doubled`)
process.exit(isClean(findings) ? 0 : 1)

/** So many kills on one database, then it is brought to rest and read. */
async function crashOne(count: number): Promise<Findings> {
  const directory = mkdtempSync(join(tmpdir(), 'kyros-crash-'))
  const database = await databases?.create()
  const recordFile = join(directory, 'records')
  writeFileSync(recordFile, '')
  const options: LoadOptions = {
    dataDir: join(directory, 'data'),
    scratchDir: directory,
    recordFile,
    seed: 0,
    openRuns,
    ...(database !== undefined && { databaseUrl: database, leaseTtlMs }),
  }
  try {
    for (let round = 0; round < count; round++) await crash(options, random)
    const survivor = startLoad({ ...options, openRuns: 0, seed: random.integer(0, 2 ** 31) })
    let isStuck = false
    await survivor.until('settled', settleMs).catch((error: unknown) => {
      isStuck = true
      console.log(`it did not come to rest: ${String(error)}`)
    })
    await survivor.end('SIGTERM')
    const store = await openStore(database === undefined ? options : { ...options, databaseUrl: database })
    const records = readRecords(recordFile)
    const found = await checkHistory(store, records, true)
    const refused = records.filter(({ kind }) => kind === 'refused')
    for (const record of refused) found.wrong.push(`a start was refused: ${JSON.stringify(record)}`)
    if (isStuck && isClean(found)) found.wrong.push('the survivor did not come to rest')
    const starts = records.filter(({ kind }) => kind === 'start').length
    const effects = records.filter(({ kind }) => kind === 'effect').length
    console.log(`${starts} runs, ${effects} attempts, ${await store.events.head()} events`)
    await store.close()
    if (isClean(found)) rmSync(directory, { recursive: true, force: true })
    else console.log(`what was found is kept in ${directory}`)
    return found
  } finally {
    if (database !== undefined) await databases?.drop(database)
  }
}

/** One life: killed while it opens and recovers, or while it works. */
async function crash(options: LoadOptions, random: Random): Promise<void> {
  const victim = startLoad({ ...options, seed: random.integer(0, 2 ** 31) })
  if (random.chance(0.25)) await delay(random.integer(100, 1_000))
  else {
    await victim.until('ready', readyMs)
    await delay(random.integer(0, isPostgres ? 1_500 : 700))
  }
  if (victim.hasEnded) await victim.until('killed', 0)
  await victim.end('SIGKILL')
}
