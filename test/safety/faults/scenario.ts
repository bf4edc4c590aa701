import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import type { LoadOptions } from '../load/load-process.ts'
import type { Random } from '../load/random.ts'
import { type Record, readRecords } from '../load/records.ts'
import type { LoadProcess } from '../load/start-load.ts'
import { checkHistory } from '../model/check-history.ts'
import { addFindings, type Findings, isClean, noFindings } from '../model/findings.ts'

/** Something that goes wrong around a process, and what must be so afterwards. */
export type Scenario = (directory: string, random: Random) => Promise<Findings>

const settleMs = 60_000

export async function runScenario(scenario: Scenario, random: Random): Promise<Findings> {
  const directory = mkdtempSync(join(tmpdir(), 'kyros-fault-'))
  const findings = noFindings()
  try {
    addFindings(findings, await scenario(directory, random))
  } catch (error) {
    findings.wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  if (isClean(findings)) rmSync(directory, { recursive: true, force: true })
  else findings.wrong.push(`what was found is kept in ${directory}`)
  return findings
}

export function loadOptions(directory: string, random: Random, more: Partial<LoadOptions> = {}): LoadOptions {
  const recordFile = join(directory, 'records')
  writeFileSync(recordFile, '', { flag: 'a' })
  const seed = random.integer(0, 2 ** 31)
  return { dataDir: join(directory, 'data'), scratchDir: directory, recordFile, seed, openRuns: 32, ...more }
}

/** Lets the process bring all runs to their end, ends it, and compares. `allowed`: codes that a refused start may have. */
export async function settleAndCheck(
  child: LoadProcess,
  options: LoadOptions,
  { allowed = [], clockJumps = false }: { allowed?: readonly string[]; clockJumps?: boolean } = {},
): Promise<Findings> {
  const findings = noFindings()
  await child.until('settled', settleMs).catch((error: unknown) => findings.wrong.push(String(error)))
  await child.end('SIGTERM')
  const { dataDir, databaseUrl } = options
  const store = await openStore({ dataDir, ...(databaseUrl !== undefined && { databaseUrl }) })
  const records = readRecords(options.recordFile)
  addFindings(findings, await checkHistory(store, records, true, clockJumps))
  await store.close()
  addFindings(findings, checkRefusals(records, allowed))
  return findings
}

/** What was refused was refused for the reason that there was, in words that a program understands. */
function checkRefusals(records: readonly Record[], allowed: readonly string[]): Findings {
  const findings = noFindings()
  const counts = new Map<string, number>()
  for (const record of records) {
    if (record.kind !== 'refused') continue
    counts.set(record.code, (counts.get(record.code) ?? 0) + 1)
  }
  for (const [code, count] of counts) {
    if (allowed.includes(code)) console.log(`  ${count} starts were refused with ${code}`)
    else findings.wrong.push(`${count} starts were refused: ${code}`)
  }
  console.log(`  ${records.filter(({ kind }) => kind === 'start').length} starts were acknowledged`)
  return findings
}
