import type { Json } from '@kyros/contract/json'
import { isTerminal } from '@kyros/contract/run-status'
import type { Store } from '@kyros/store/store'
import type { Callers, KnownRun } from './callers.ts'
import { otherNames, programNames } from './catalogue.ts'
import { generateProgram } from './generate-program.ts'
import { limitsOf } from './limits.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Troubles } from './troubles.ts'
import type { WorldRecord } from './world-record.ts'

export type Workload = {
  scheduler: Scheduler
  random: Random
  callers: Callers
  names: readonly string[]
  record: WorldRecord
  troubles: Troubles
  inner: Store
}

const lookEveryMs = 5000
/** So long runs may take by themselves once all is calm; then they are cancelled. */
const patienceMs = 90_000
const hopelessMs = 15 * 60_000
/** In a calm, a run that waits for nobody has a new event within this time: steps, limits and back-offs are shorter. */
const longestSilenceMs = 40_000

/** The random program, mostly, and some of the fixtures. */
export function chooseWorkflows(random: Random): string[] {
  const fixtures = Array.from({ length: random.int(0, 3) }, () => random.pick(asChoice(otherNames)))
  // One of those that do not queue, so that its runs get into each other's way.
  const strict = random.chance(0.5) ? [random.pick(['refuser', 'replacer', 'keeper'])] : []
  return [...new Set(['program', 'queued', ...strict, ...fixtures])]
}

/** Everything that people do in a world, to its quiet end. */
export async function liveThrough(workload: Workload): Promise<void> {
  const { random, callers, troubles, scheduler } = workload
  const stories = Array.from({ length: random.int(1, 3) + random.small(0, 7) }, (_, index) =>
    tellStory(workload, index),
  )
  await Promise.all(stories)
  await callers.pause(random.small(0, 5000))
  troubles.calm()
  scheduler.note('all is calm')
  // The others are left alone: whoever reaches for a run that was forgotten would set it going.
  for (const run of callers.runs) if (run.pauses.length > 0) await callers.letGo(run)
  for (const run of callers.runs) if (run.others.length > 0) await callers.limit(run, 1000)
  await rest(workload)
  await troubles.close()
  await callers.pause(2000)
}

/** Waits until every run has ended, and cancels those that wait for nobody knows whom. */
async function rest(workload: Workload): Promise<void> {
  const { callers, record, scheduler } = workload
  const calmMs = scheduler.nowMs
  const isOver = async () => {
    if (!record.allEnded) return false
    // What a late write, attempt or child would still do must show.
    await callers.pause(10_000)
    return record.allEnded
  }
  while (!(await isOver()) && scheduler.nowMs < calmMs + patienceMs) await callers.pause(lookEveryMs)
  await findStuck(workload)
  while (!(await isOver()) && scheduler.nowMs < calmMs + hopelessMs) {
    for (const run of callers.known(record.runs.keys())) {
      if (record.runs.get(run.runId)?.ended === false) await callers.cancel(run)
    }
    await callers.pause(lookEveryMs)
  }
}

/** A run that could go on and does not is lost, even if somebody who asks for it would set it going. */
async function findStuck({ record, inner, scheduler }: Workload): Promise<void> {
  for (const runId of record.runs.keys()) {
    const run = await inner.runs.get(runId)
    if (run === undefined || isTerminal(run.status)) continue
    const last = (await inner.events.ofRun(runId, run.run_seq - 1))[0]
    const silentMs = scheduler.nowMs - Date.parse(last?.time ?? run.created_at)
    const isDue =
      run.waiting_until !== null && Date.parse(run.waiting_until) < scheduler.nowMs - longestSilenceMs
    if (silentMs < longestSilenceMs || (run.status === 'waiting' && !isDue)) continue
    const detail = `The run is ${run.status}, could go on, and has not moved for ${silentMs} ms.`
    record.stuck.push({ runId, kind: 'lost', rule: 'going on', detail })
  }
}

/** One run and what is done to it. */
async function tellStory({ random: shared, callers, names }: Workload, index: number): Promise<void> {
  const random = shared.fork(`story ${index}`)
  await callers.pause(random.small(0, 30_000))
  const workflow = chooseWorkflow(random, names)
  const what = {
    workflow,
    input: inputOf(random, workflow),
    timeoutSeconds: random.chance(0.1) ? random.int(1, 20) : 600,
    maxRetries: random.int(0, 3),
  }
  const run = await callers.submit(what, `key ${index}`)
  for (let count = random.small(0, 6); count > 0; count--) {
    await callers.pause(random.small(0, 8000))
    await doSomething(random, callers, run)
  }
}

/** Runs of workflows with a limit come in crowds: alone they do not get into each other's way. */
function chooseWorkflow(random: Random, names: readonly string[]): string {
  if (random.chance(0.4)) return 'program'
  const crowd = names.filter((name) => limitsOf(name) !== undefined)
  return random.pick(asChoice(random.chance(0.6) ? crowd : names))
}

async function doSomething(random: Random, callers: Callers, run: KnownRun): Promise<void> {
  switch (random.pick(deeds)) {
    case 'signal':
      return callers.signal(run, signalOf(run.workflow))
    case 'burst': {
      const signals = Array.from({ length: random.int(2, 5) }, () =>
        callers.signal(run, signalOf(run.workflow)),
      )
      await Promise.all(signals)
      return
    }
    case 'look':
      return callers.look(run)
    case 'update':
      return callers.update(run)
    case 'hold':
      await Promise.all(Array.from({ length: random.int(1, 2) }, () => callers.hold(run)))
      await callers.pause(random.small(0, 6000))
      return callers.letGo(run)
    case 'limit':
      await callers.limit(run, 10)
      await callers.use(run, random.int(1, 20))
      return callers.limit(run, 1000)
    case 'upgrade':
      return callers.upgrade(run)
    case 'fork':
      await callers.fork(run, random.pick(['First', 'Second', 'Third', 'First#2', 'shielded-1']))
      return
    case 'again':
      await callers.again(run)
      return
    case 'cancels':
      await Promise.all([callers.cancel(run), callers.cancel(run)])
      return
    default:
      return callers.cancel(run)
  }
}

const deeds = [
  ...(['signal', 'signal', 'burst', 'look', 'update', 'update', 'hold', 'limit'] as const),
  ...(['upgrade', 'fork', 'again', 'cancel', 'cancels'] as const),
] as const

const signalOf = (workflow: string) => (workflow.startsWith('collecting') ? 'add' : 'go')

function inputOf(random: Random, workflow: string): Json {
  const ms = random.small(0, 20_000)
  // Border cast: a program is plain data.
  if (programNames.includes(workflow)) return generateProgram(random) as unknown as Json
  switch (workflow) {
    case 'code_analysis':
      return { repository: 'https://example.test/repository.git' }
    case 'sleeping':
    case 'napping':
      return { ms }
    case 'collecting':
      return { count: random.int(1, 3), ...(random.chance(0.5) ? { timeoutMs: ms } : {}) }
    case 'collecting_late':
      return { count: random.int(1, 3) }
    case 'wide':
      return { count: random.int(1, 20) }
    case 'questioning':
    case 'hurried':
      return { timeoutMs: ms }
    case 'parent':
    case 'leaving_parent': {
      const close = random.pick(['cancel', 'abandon', 'request_cancel'])
      return { workflow: 'napping', input: { ms }, close }
    }
    case 'continuing':
      return { parts: random.int(1, 4), sum: 0 }
    case 'looping':
      return { rounds: random.int(1, 4) }
    case 'updating':
      return { limit: random.int(1, 3) }
    default:
      return random.int(0, 9)
  }
}

function asChoice<T>(list: readonly T[]): readonly [T, ...T[]] {
  const [first, ...others] = list
  if (first === undefined) throw new Error('There is nothing to choose from.')
  return [first, ...others]
}
