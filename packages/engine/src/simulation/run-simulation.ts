// `npm run test:simulation`: lives through seeded worlds and says what was lost or doubled in them.
import { parseArgs } from 'node:util'
import { type Catalogue, prepareCatalogue } from './catalogue.ts'
import type { Violation } from './model.ts'
import { plants } from './plants.ts'
import { type Round, simulate } from './simulate.ts'
import { realNowMs, replaceGlobals } from './world-globals.ts'

const { values } = parseArgs({
  options: {
    /** How many worlds, from `first` on. */
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    /** One world alone. */
    seed: { type: 'string' },
    /** Every happening as a line. */
    trace: { type: 'boolean', default: false },
    /** One line for each world; the same seeds must give the same lines. */
    fingerprints: { type: 'boolean', default: false },
    /** Builds this fault in, or each in turn, and ends with 0 when it was found. */
    plant: { type: 'string' },
  },
})

const say = (line: string) => void process.stdout.write(`${line}\n`)
const first = wholeNumber('first', values.seed ?? values.first)
const count = values.seed === undefined ? wholeNumber('seeds', values.seeds) : 1

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  process.stderr.write(`--${name} takes a whole number from 1 on, not ${text}.\n`)
  process.exit(2)
}

function explain({ seed, violations }: Round): void {
  say(`seed ${seed} breaks a promise; npm run test:simulation -- --seed ${seed} --trace shows how:`)
  for (const { kind, rule, runId, detail } of violations)
    say(`  ${kind} (${rule}) ${runId.slice(-4)} ${detail}`)
}

async function liveThroughAll(catalogue: Catalogue): Promise<boolean> {
  const counts: Record<Violation['kind'], number> = { lost: 0, doubled: 0, wrong: 0 }
  const onTrace = values.trace ? { onTrace: say } : {}
  for (let seed = first; seed < first + count; seed++) {
    const round = await simulate(seed, { catalogue, ...onTrace })
    if (values.fingerprints)
      say(`seed ${seed}: ${round.runs} runs, ${round.happenings} happenings, ${round.fingerprint >>> 0}`)
    for (const { kind } of round.violations) counts[kind] += 1
    if (round.violations.length > 0) explain(round)
  }
  if (counts.wrong > 0) say(`${counts.wrong} other promises were broken.`)
  say(`${count} rounds, ${counts.lost} lost, ${counts.doubled} doubled`)
  return counts.lost + counts.doubled + counts.wrong === 0
}

/** A simulation that finds nothing must be able to find something. */
async function findPlants(catalogue: Catalogue, names: readonly string[]): Promise<boolean> {
  let all = true
  for (const name of names) {
    const found = await findPlant(catalogue, name)
    all &&= found !== undefined
    say(
      found === undefined
        ? `${name}: not found in ${count} worlds`
        : `${name}: found by seed ${found.seed}, ${found.by}`,
    )
  }
  return all
}

async function findPlant(
  catalogue: Catalogue,
  name: string,
): Promise<{ seed: number; by: string } | undefined> {
  const plant = plants[name]
  if (plant === undefined)
    throw new Error(`There is no plant ${name}; there are ${Object.keys(plants).join(', ')}.`)
  for (let seed = first; seed < first + count; seed++) {
    const { violations } = await simulate(seed, { catalogue, plant })
    const [broken] = violations
    if (broken !== undefined) return { seed, by: `${broken.kind} (${broken.rule})` }
  }
  return undefined
}

const catalogue = await prepareCatalogue()
const startedMs = realNowMs()
replaceGlobals()
const names = values.plant === 'all' ? Object.keys(plants) : [values.plant ?? '']
const isWell =
  values.plant === undefined ? await liveThroughAll(catalogue) : await findPlants(catalogue, names)
if (values.plant === undefined) {
  const seconds = (realNowMs() - startedMs) / 1000
  process.stderr.write(`${(count / seconds).toFixed(0)} seeds/s\n`)
}
process.exitCode = isWell ? 0 : 1
