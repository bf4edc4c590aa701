import { isTerminal } from '@kyros/contract/run-status'
import type { Store } from '@kyros/store/store'
import { asked, inputOf, type Planned, resultOf, signalled } from '../load/plan.ts'
import type { Record } from '../load/records.ts'
import { checkProjections } from './check-projections.ts'
import { type Findings, noFindings } from './findings.ts'
import { type History, nameOf, type RunHistory, readHistory } from './history.ts'

/** Which steps begin only after others have been recorded as done. */
const dependencies: { [W in Planned]: [step: string, after: string[]][] } = {
  ordered: [
    ['Add#2', ['Add']],
    ['Add#3', ['Add#2']],
  ],
  fanned: [['Add#5', ['Add', 'Add#2', 'Add#3', 'Add#4']]],
  retried: [['Add#2', ['Add']]],
  timed: [['Add#2', ['Add']]],
  collecting: [],
  relayed: [],
  parented: [],
  large: [['Add', ['Write']]],
  cancelled: [['CleanUp', ['Add']]],
  asked: [],
}

type Start = Extract<Record, { kind: 'start' }>

/**
 * Compares everything that was written down beside the engine with what the store has. `mustHaveEnded`: the engine had
 * the time to bring every run to its end. `clockJumps`: what is earlier cannot be told by times.
 */
export async function checkHistory(
  store: Store,
  records: readonly Record[],
  mustHaveEnded: boolean,
  clockJumps = false,
): Promise<Findings> {
  const findings = noFindings()
  const history = await readHistory(store, findings)
  for (const record of records) {
    if (record.kind === 'start') checkStart(history, record, mustHaveEnded, findings)
    if (record.kind === 'seen') checkSeen(history, record.events, findings)
    if (record.kind === 'effect') checkEffect(history, record, { mustHaveEnded, clockJumps }, findings)
  }
  checkSignals(history, records, findings)
  checkAnswers(history, records, findings)
  checkCancellations(history, records, mustHaveEnded, findings)
  checkChildren(history, mustHaveEnded, findings)
  await checkBlobs(store, history, findings)
  await checkProjections(store, history, findings)
  return findings
}

function checkStart(history: History, start: Start, mustHaveEnded: boolean, findings: Findings): void {
  const run = history.runs.get(start.run)
  if (run === undefined) {
    findings.lost.push(`the start of run ${start.run} (${start.workflow}) was acknowledged`)
    return
  }
  const { status } = run.state
  if (mustHaveEnded && !isTerminal(status)) {
    findings.lost.push(
      `run ${start.run} (${start.workflow}) is ${status}, ${run.state.reason ?? 'no reason'}`,
    )
  }
  if (status === 'failed' || status === 'timed_out') {
    findings.wrong.push(`run ${start.run} (${start.workflow}) ${status}: ${JSON.stringify(run.state.error)}`)
  }
  if (status !== 'completed') return
  const expected = expectedOf(start, run)
  if (JSON.stringify(run.state.result) !== JSON.stringify(expected)) {
    findings.wrong.push(`run ${start.run} (${start.workflow}) came to ${JSON.stringify(run.state.result)}`)
  }
}

/** What a completed run must have come to. */
function expectedOf({ workflow, value }: Start, run: RunHistory): unknown {
  if (signalled.includes(workflow)) {
    return run.signals.filter(({ signal }) => signal === 'add').map((received) => received.value)
  }
  if (workflow === asked) return [...run.updates.values().map((update) => update.value), ...run.answers]
  return resultOf(workflow, inputOf(workflow, value))
}

/** What a reader of the log has seen is committed, and stays as it was. */
function checkSeen(
  history: History,
  events: readonly [number, number, string, string][],
  findings: Findings,
): void {
  for (const [seq, runSeq, runId, type] of events) {
    const stored = history.events.get(seq)
    if (stored === nameOf(runSeq, runId, type)) continue
    findings.lost.push(`event ${seq} was read as ${nameOf(runSeq, runId, type)} and is ${stored ?? 'gone'}`)
  }
}

function checkEffect(
  { runs }: History,
  effect: Extract<Record, { kind: 'effect' }>,
  { mustHaveEnded, clockJumps }: { mustHaveEnded: boolean; clockJumps: boolean },
  findings: Findings,
): void {
  const { key, attempt, timeMs } = effect
  const run = runs.get(effect.run)
  const where = `attempt ${attempt} of ${key} in run ${effect.run} (${run?.workflow})`
  if (run === undefined) {
    findings.lost.push(`${where} was made, and there is no such run`)
    return
  }
  const step = run.steps.get(key)
  if (step === undefined) {
    if (mustHaveEnded) findings.lost.push(`${where} was made, and the log does not know the step`)
    return
  }
  if (clockJumps) return
  if (step.completedMs !== undefined && timeMs > step.completedMs) {
    findings.doubled.push(`${where} was made ${timeMs - step.completedMs} ms after the step was completed`)
  }
  // A border cast: every workflow here is one of the plan.
  for (const [, needed] of dependencies[run.workflow as Planned].filter(([dependent]) => dependent === key)) {
    for (const name of needed) checkOrder(run, name, where, timeMs, findings)
  }
  if (run.workflow === 'timed' && key === 'Add#2') {
    const timer = run.timers[0]
    if (timer === undefined || timeMs < timer.fireAtMs) findings.wrong.push(`${where} came before its timer`)
  }
}

/**
 * A completion that was not on disk when its dependant began is lost by a crash in between; then the step is done
 * again, and its completion is later than what depends on it.
 */
function checkOrder(
  run: RunHistory,
  needed: string,
  where: string,
  timeMs: number,
  findings: Findings,
): void {
  const before = run.steps.get(needed)
  if (run.workflow === 'cancelled' && before?.completedMs === undefined) return
  if (before?.completedMs === undefined || before.completedMs > timeMs) {
    findings.wrong.push(`${where} began before ${needed} was recorded`)
  }
}

function checkSignals({ runs }: History, records: readonly Record[], findings: Findings): void {
  const counts = new Map<string, number>()
  for (const [runId, { signals }] of runs) {
    for (const { value } of signals) {
      const name = `${runId} ${String(value)}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  for (const record of records) {
    if (record.kind !== 'signal' && record.kind !== 'sending') continue
    const count = counts.get(`${record.run} ${record.value}`) ?? 0
    if (count > 1) findings.doubled.push(`signal ${record.value} of run ${record.run} came ${count} times`)
    // A close that is sent once more may find the run ended by the first.
    if (count === 0 && record.kind === 'signal' && record.signal === 'add') {
      findings.lost.push(`signal ${record.value} of run ${record.run} was acknowledged`)
    }
  }
}

function checkAnswers({ runs }: History, records: readonly Record[], findings: Findings): void {
  for (const record of records) {
    const run = 'run' in record ? runs.get(record.run) : undefined
    if (record.kind === 'update') {
      const result = run?.updates.get(record.value)?.result
      if (result === undefined) findings.lost.push(`update ${record.value} of run ${record.run} was answered`)
      else if (result !== record.answer) {
        findings.wrong.push(`update ${record.value}: answered ${record.answer}, recorded ${result}`)
      }
    }
    if (record.kind !== 'answer') continue
    const count = run?.answers.length ?? 0
    if (count === 0) findings.lost.push(`the answer to the waitpoint of ${record.run} was acknowledged`)
    if (count > 1) findings.doubled.push(`the waitpoint of ${record.run} was answered ${count} times`)
  }
}

function checkCancellations(
  { runs }: History,
  records: readonly Record[],
  mustHaveEnded: boolean,
  findings: Findings,
): void {
  for (const record of records) {
    if (record.kind !== 'cancel') continue
    const run = runs.get(record.run)
    const isDone = run?.state.status === 'cancelled'
    const isUnderWay = run?.state.cancel_requested === true && !isTerminal(run.state.status)
    if (!isDone && (mustHaveEnded || !isUnderWay)) {
      findings.lost.push(`the cancellation of run ${record.run} was acknowledged; it is ${run?.state.status}`)
    }
    if (isDone && [...run.steps.values()].some((step) => !step.isOver)) {
      findings.wrong.push(`run ${record.run} was cancelled and has steps that are not over`)
    }
  }
}

/** A parent's child is made once, is there when the parent says so, and ends before the parent that awaits it. */
function checkChildren({ runs }: History, mustHaveEnded: boolean, findings: Findings): void {
  const links = new Map<string, string>()
  for (const [runId, { parent, state }] of runs) {
    if (parent === undefined) continue
    const twin = links.get(parent)
    if (twin !== undefined) findings.doubled.push(`runs ${twin} and ${runId} are one child of ${parent}`)
    links.set(parent, runId)
    const isDone = runs.get(parent.split(' ')[0] ?? '')?.state.status === 'completed'
    if (isDone && !isTerminal(state.status)) findings.lost.push(`child ${runId} is ${state.status}`)
  }
  // The parent says it first; whoever takes it up after a crash makes the child that is missing.
  for (const [runId, { children }] of mustHaveEnded ? runs : []) {
    for (const child of children) {
      if (!runs.has(child)) findings.lost.push(`run ${runId} began child ${child}, and there is no such run`)
    }
  }
}

async function checkBlobs(store: Store, { blobs }: History, findings: Findings): Promise<void> {
  for (const [sha256, where] of blobs) {
    const data = await store.blobs.get(sha256).catch((error: unknown) => error)
    if (data instanceof Uint8Array) continue
    findings.lost.push(`blob ${sha256}, named by ${where}: ${String(data ?? 'not there')}`)
  }
}
