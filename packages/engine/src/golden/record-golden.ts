// `npm run golden -- --label <version>`: adds histories of today's engine to those that every later one must replay.
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { RunEvent } from '@kyros/contract/event'
import { isTerminal } from '@kyros/contract/run-status'
import type { Store } from '@kyros/store/store'
import { type Catalogue, prepareCatalogue } from '../simulation/catalogue.ts'
import { simulate } from '../simulation/simulate.ts'
import { replaceGlobals } from '../simulation/world-globals.ts'
import { checksumFile, checksumOf, type GoldenHistory, goldenDir, runEventsOf } from './golden-history.ts'

const { values } = parseArgs({
  options: { label: { type: 'string' }, seeds: { type: 'string', default: '600' } },
})
const perWorkflow = 3
const longestEvents = 60

/** What makes a history worth keeping: kinds of events, and what befell its attempts. */
function featuresOf(events: readonly RunEvent[]): Set<string> {
  const features = new Set<string>()
  for (const event of events) {
    features.add(event.type)
    if (event.type === 'step.started' && event.data.attempt > 1) features.add('another attempt')
    if (event.type === 'step.started' && wasCut(events, event)) features.add('an attempt that was cut off')
    if (event.type === 'step.failed' && event.data.retry_at === undefined) features.add('a failed step')
  }
  return features
}

function wasCut(events: readonly RunEvent[], started: Extract<RunEvent, { type: 'step.started' }>): boolean {
  const { command, attempt } = started.data
  return events.some(
    (event) =>
      event.type === 'step.started' &&
      event.run_seq < started.run_seq &&
      event.data.command === command &&
      event.data.attempt === attempt,
  )
}

type Found = { history: GoldenHistory; features: Set<string> }

async function collect(store: Store, into: Map<string, Found[]>): Promise<void> {
  for (const { id } of (await store.runs.list({ limit: 200 })).items) {
    const run = await store.runs.get(id)
    if (run === undefined || !isTerminal(run.status) || run.definition === '') continue
    const events = await store.events.ofRun(id)
    // A history that leans on bytes beside the log would not be whole here.
    if (events.length > longestEvents || JSON.stringify(events).includes('"$blob"')) continue
    const found = into.get(run.type) ?? []
    into.set(run.type, [...found, { history: { run, events }, features: featuresOf(runEventsOf(events)) }])
  }
}

/** Each next one adds most to what the ones before it have. */
function choose(found: readonly Found[]): GoldenHistory[] {
  const seen = new Set<string>()
  const chosen: Found[] = []
  const gain = ({ features }: Found) => [...features].filter((feature) => !seen.has(feature)).length
  while (chosen.length < perWorkflow) {
    const [best] = found
      .filter((one) => !chosen.includes(one))
      .toSorted((a, b) => gain(b) - gain(a) || a.history.events.length - b.history.events.length)
    if (best === undefined || (chosen.length > 0 && gain(best) === 0)) break
    chosen.push(best)
    for (const feature of best.features) seen.add(feature)
  }
  return chosen.map(({ history }) => history)
}

/** Writes a file that is not there yet; one that is there stays as it is for ever. */
function keep(name: string, text: string): void {
  if (existsSync(join(goldenDir, name))) return
  writeFileSync(join(goldenDir, name), text)
  appendFileSync(join(goldenDir, checksumFile), `${checksumOf(name)}  ${name}\n`)
  process.stdout.write(`added ${name}\n`)
}

function textOf({ run, events }: GoldenHistory): string {
  const lines = events.map((event) => `  ${JSON.stringify(event)}`).join(',\n')
  return `{"run": ${JSON.stringify(run)},\n"events": [\n${lines}\n]}\n`
}

async function record(label: string, catalogue: Catalogue): Promise<void> {
  const found = new Map<string, Found[]>()
  const bundles = new Map<string, string>()
  const onEnd = async (store: Store) => {
    await collect(store, found)
    for (const { hash } of await store.definitions.list()) {
      const stored = await store.definitions.get(hash)
      if (stored !== undefined) bundles.set(hash, stored.source)
    }
  }
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const { violations } = await simulate(seed, { catalogue, onEnd })
    if (violations.length > 0) throw new Error(`Seed ${seed} breaks a promise: nothing is recorded.`)
  }
  for (const [workflow, all] of [...found].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    for (const [index, history] of choose(all).entries()) {
      keep(`${label}-${workflow}-${index + 1}.json`, textOf(history))
      const { definition: hash } = history.run
      keep(`bundle-${hash}.json`, `${JSON.stringify({ hash, source: bundles.get(hash) ?? '' })}\n`)
    }
  }
}

if (values.label === undefined || !/^[\w.]+$/.test(values.label)) {
  process.stderr.write('Give the version whose histories are added: npm run golden -- --label 0.2.0\n')
  process.exitCode = 2
} else {
  const catalogue = await prepareCatalogue()
  replaceGlobals()
  await record(values.label, catalogue)
}
