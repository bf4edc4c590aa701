// `npm run test:faults [-- --only <name>] [--seed S]`: a full disk, a clock that jumps, a PostgreSQL that is restarted, and
// files that are damaged at their end. The last line is `N faults, L lost`.
import { parseArgs } from 'node:util'
import { createRandom } from '../load/random.ts'
import { addFindings, describe, isClean, noFindings } from '../model/findings.ts'
import { clockJumps } from './clock-jumps.ts'
import { damagedTail } from './damaged-tail.ts'
import { fullDisk } from './full-disk.ts'
import { restartedPostgres } from './restarted-postgres.ts'
import { runScenario, type Scenario } from './scenario.ts'

const scenarios: { readonly [name: string]: Scenario } = {
  'full-disk': fullDisk,
  'clock-jumps': clockJumps,
  'restarted-postgres': restartedPostgres,
  'damaged-tail': damagedTail,
}

const { values } = parseArgs({ options: { only: { type: 'string' }, seed: { type: 'string' } } })
const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
const chosen = Object.entries(scenarios).filter(([name]) => values.only === undefined || values.only === name)
if (chosen.length === 0) {
  console.error(`usage: npm run test:faults [-- --only ${Object.keys(scenarios).join('|')}] [--seed S]`)
  process.exit(2)
}
console.log(`seed ${seed}`)
const findings = noFindings()
for (const [name, scenario] of chosen) {
  const startedMs = Date.now()
  console.log(`${name}:`)
  const found = await runScenario(scenario, createRandom(seed))
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1)
  console.log(`  ${isClean(found) ? 'ok' : 'FAILED'}, ${seconds} s`)
  addFindings(findings, found)
}
for (const line of describe(findings)) console.log(line)
console.log(
  `${chosen.length} faults, ${findings.lost.length + findings.doubled.length + findings.wrong.length} lost`,
)
process.exit(isClean(findings) ? 0 : 1)
