// `npm run test:power -- --points N [--seed S]`: records what a process writes and syncs, then takes the power away at N
// moments of that recording and looks at what a disk would still have. The last line is `N points, L lost`.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { openStore } from '@kyros/store/open-store'
import { createRandom } from '../load/random.ts'
import { parseRecords } from '../load/records.ts'
import { startLoad } from '../load/start-load.ts'
import { checkHistory } from '../model/check-history.ts'
import { addFindings, describe, type Findings, isClean, noFindings } from '../model/findings.ts'
import { Disk, type Survival } from './disk.ts'
import { recordLoad } from './record-load.ts'
import type { Operation } from './recording.ts'

/** Enough for SQLite's write-ahead log to begin anew a few times, and for a sync at every point. */
const runsRecorded = (points: number) => Math.max(240, Math.round(points / 2))
/** Every so many points the engine is started on what is left, and has to bring all runs to their end. */
const engineEvery = 25
const settleMs = 60_000
const survivals: readonly Survival[] = ['synced', 'some', 'torn', 'synced', 'some', 'all']

const { values } = parseArgs({ options: { points: { type: 'string' }, seed: { type: 'string' } } })
const points = Number(values.points ?? 100)
const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
if (!Number.isInteger(points) || points < 1) {
  console.error('usage: npm run test:power -- --points N [--seed S]')
  process.exit(2)
}

const random = createRandom(seed)
const directory = mkdtempSync(join(tmpdir(), 'kyros-power-'))
console.log(`seed ${seed}`)
const { root, operations } = await recordLoad(directory, runsRecorded(points), random)
const moments = chooseMoments(operations)
const syncs = operations.filter(({ kind }) => kind === 'sync').length
console.log(
  `recorded ${operations.length} operations with ${syncs} syncs, ${walBeginnings()} beginnings of the log`,
)

const findings = noFindings()
const disk = new Disk(root)
const recordFile = join(root, 'records')
let recorded = ''
let done = 0
let next = 0
for (const [index, operation] of operations.entries()) {
  while (isClean(findings) && moments[next] === index) {
    await takePower(survivals[next % survivals.length] ?? 'synced', next)
    next += 1
  }
  disk.apply(operation)
  if (operation.kind === 'write' && disk.pathOf(operation.handle) === recordFile) {
    recorded += operation.data.toString('utf8')
  }
}
while (isClean(findings) && next < moments.length) {
  await takePower(survivals[next % survivals.length] ?? 'synced', next)
  next += 1
}
for (const line of describe(findings)) console.log(line)
if (isClean(findings)) rmSync(directory, { recursive: true, force: true })
else console.log(`what was found is kept in ${directory}`)
console.log(`${done} points, ${findings.lost.length + findings.doubled.length + findings.wrong.length} lost`)
process.exit(isClean(findings) ? 0 : 1)

/** How often SQLite's write-ahead log was begun at its first byte: once in each life, and each time it is used again. */
function walBeginnings(): number {
  const handles = new Map<string, string>()
  return operations.filter((operation) => {
    if (operation.kind === 'open') handles.set(operation.handle, operation.path)
    return (
      operation.kind === 'write' && operation.offset === 0 && handles.get(operation.handle)?.endsWith('-wal')
    )
  }).length
}

/** Half of the moments directly after a sync, when all that it promised must be there; half anywhere between. */
function chooseMoments(all: readonly Operation[]): number[] {
  const afterSync = all.flatMap(({ kind }, index) => (kind === 'sync' ? [index + 1] : []))
  const chosen: number[] = []
  for (let point = 0; point < points; point++) {
    const place = point / points
    if (point % 2 === 0) chosen.push(afterSync[Math.floor(place * afterSync.length)] ?? all.length)
    else chosen.push(random.integer(0, all.length + 1))
  }
  return chosen.sort((one, other) => one - other)
}

async function takePower(survival: Survival, point: number): Promise<void> {
  const home = join(directory, `point-${point}`)
  const found = await inspect(home, survival, point % engineEvery === engineEvery - 1)
  done += 1
  const where = `point ${point} after operation ${moments[point]}, ${survival}`
  for (const kind of ['lost', 'doubled', 'wrong'] as const)
    found[kind] = found[kind].map((one) => `${where}: ${one}`)
  if (isClean(found)) rmSync(home, { recursive: true, force: true })
  addFindings(findings, found)
}

/** Puts the disk as it is after the loss below `home`, opens the store there and compares. */
async function inspect(home: string, survival: Survival, withEngine: boolean): Promise<Findings> {
  const dataDir = join(home, 'data')
  mkdirSync(home)
  for (const { path, data } of disk.survivors(survival, random)) {
    if (path === 'records') continue
    if (data === undefined) mkdirSync(join(home, path), { recursive: true })
    else {
      mkdirSync(dirname(join(home, path)), { recursive: true })
      writeFileSync(join(home, path), data)
    }
  }
  writeFileSync(join(home, 'records'), recorded)
  try {
    if (withEngine) await letEngineWork(home, dataDir)
    const store = await openStore({ dataDir })
    const found = await checkHistory(store, parseRecords(recorded), withEngine)
    await store.close()
    return found
  } catch (error) {
    return {
      ...noFindings(),
      lost: [`it does not work: ${error instanceof Error ? error.stack : String(error)}`],
    }
  }
}

async function letEngineWork(home: string, dataDir: string): Promise<void> {
  const scratchDir = join(directory, 'scratch')
  const options = { dataDir, scratchDir, recordFile: join(home, 'records'), openRuns: 0 }
  const survivor = startLoad({ ...options, seed: random.integer(0, 2 ** 31) })
  try {
    await survivor.until('settled', settleMs)
  } finally {
    await survivor.end('SIGTERM')
  }
}
