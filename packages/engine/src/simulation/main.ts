import { parseArgs } from 'node:util'
import { prepareCatalogue } from './catalogue.ts'
import type { Violation } from './model.ts'
import { type Plant, plants } from './plants.ts'
import { type Round, simulate } from './simulate.ts'
import { realNowMs, replaceGlobals } from './world-globals.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    first: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    plant: { type: 'string' },
    fingerprints: { type: 'boolean', default: false },
  },
})
const say = (line: string) => void process.stdout.write(`${line}\n`)
const first = Number(values.seed ?? values.first)
const count = values.seed === undefined ? Number(values.seeds) : 1
const plant: Plant | undefined = values.plant === undefined ? undefined : plants[values.plant]
const catalogue = await prepareCatalogue()
const startedMs = realNowMs()
replaceGlobals()
const broken: { round: Round; violation: Violation }[] = []
for (let seed = first; seed < first + count; seed++) {
  const round = await simulate(seed, {
    catalogue,
    ...(values.trace ? { onTrace: say } : {}),
    ...(plant === undefined ? {} : { plant }),
  })
  if (values.fingerprints)
    say(`seed ${seed}: ${round.fingerprint} ${round.happenings} ${round.runs} ${round.lastedMs}`)
  for (const violation of round.violations) broken.push({ round, violation })
  if (round.violations.length > 0) {
    say(`seed ${seed}:`)
    for (const { kind, rule, runId, detail } of round.violations)
      say(`  ${kind}: ${rule}: ${runId.slice(-4)} ${detail}`)
  }
}
const seconds = (realNowMs() - startedMs) / 1000
process.stderr.write(`${(count / seconds).toFixed(0)} seeds/s\n`)
const of = (kind: Violation['kind']) => broken.filter(({ violation }) => violation.kind === kind).length
say(`${count} rounds, ${of('lost')} lost, ${of('doubled')} doubled`)
process.exitCode = broken.length > 0 ? 1 : 0
