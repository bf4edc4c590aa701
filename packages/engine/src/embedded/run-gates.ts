import type { Json } from '@kyros/contract/json'
import type { WorkflowConcurrency } from '@kyros/workflows/define'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import { textOf } from '../error-text.ts'
import { concurrencyFault } from './asked-options.ts'
import type { Shown } from './history.ts'
import type { EndEvent } from './run-outcome.ts'

/** What a run needs before it may begin: a place among the runs with this key. */
export type Admission = {
  key: string
  limit: number
  onConflict: WorkflowConcurrency<Json>['onConflict']
}

export type GateState = { key: string; limit: number; holders: string[]; ahead: number }

/**
 * `queued`: `onAdmitted` is called when it may begin. `rejected` and `cancelled`: the run is not to begin, because its
 * workflow wants it so when too many are under way.
 */
export type Entered = 'admitted' | 'queued' | 'rejected' | 'cancelled'

export type RunGates = {
  /** Asks for a place; asking again changes nothing. */
  enter(admission: Admission, runId: string): Entered
  /** A run that began before: it has its place, also where that is one too many. Not one that has left meanwhile. */
  hold(admission: Admission, runId: string): void
  /** The run has ended, or will never begin. Who waited for its place gets it. */
  leave(runId: string): void
  /** Before this nobody is let in: who has a place is not known yet. Those who came meanwhile go in order of their ids. */
  open(): void
  /** Forgets everything, until `open` is called again. */
  close(): void
  /** Whether there is no place left now; false while that is not known. */
  isFull(admission: Admission): boolean
  explain(runId: string): GateState | undefined
  /** Runs that others wait for; at most a thousand of them. */
  inTheWay(): string[]
}

type Gate = {
  readonly key: string
  limit: number
  /** In the order in which they began. */
  holders: Set<string>
  /** In the order in which they came. */
  waiting: Set<string>
  /** Those of both that were told to end. */
  readonly leaving: Set<string>
}

/** What the gates do to runs; called in a later turn. */
export type GateEvents = {
  onAdmitted: (runId: string) => void
  cancel: (runId: string, reason: string) => void
}

/** How many runs of a workflow are under way, by key. It keeps ids and no runs: one that sleeps on disk holds its place. */
export function createRunGates(events: GateEvents): RunGates {
  return new Gates(events)
}

class Gates implements RunGates {
  readonly #events: GateEvents
  readonly #gates = new Map<string, Gate>()
  readonly #placeOf = new Map<string, Gate>()
  /** Came before `open`, by run: one that asks twice waits once. */
  readonly #early = new Map<string, Admission>()
  /** Left before `open`: who reads what is under way may have read of them before they ended. */
  readonly #gone = new Set<string>()
  #isOpen = false

  constructor(events: GateEvents) {
    this.#events = events
  }

  enter(admission: Admission, runId: string): Entered {
    const place = this.#placeOf.get(runId)
    if (place !== undefined) return place.holders.has(runId) ? 'admitted' : 'queued'
    if (this.#isOpen) return this.#decide(admission, runId)
    this.#early.set(runId, admission)
    return 'queued'
  }

  hold(admission: Admission, runId: string): void {
    if (!this.#placeOf.has(runId) && !this.#gone.has(runId)) this.#hold(this.#gateOf(admission), runId)
  }

  leave(runId: string): void {
    if (!this.#isOpen) this.#gone.add(runId)
    const gate = this.#placeOf.get(runId)
    if (gate === undefined) {
      this.#early.delete(runId)
      return
    }
    this.#placeOf.delete(runId)
    gate.holders.delete(runId)
    gate.waiting.delete(runId)
    gate.leaving.delete(runId)
    this.#admitNext(gate)
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#gone.clear()
    for (const gate of this.#gates.values()) gate.holders = new Set([...gate.holders].toSorted())
    const came = [...this.#early].toSorted(([a], [b]) => (a < b ? -1 : 1))
    this.#early.clear()
    for (const [runId, admission] of came) {
      if (this.#placeOf.has(runId)) continue
      // Whatever was decided, the run asks again when it is woken.
      if (this.#decide(admission, runId) !== 'queued') queueMicrotask(() => this.#events.onAdmitted(runId))
    }
  }

  close(): void {
    this.#isOpen = false
    this.#early.clear()
    this.#gone.clear()
    this.#gates.clear()
    this.#placeOf.clear()
  }

  isFull({ key, limit }: Admission): boolean {
    return this.#isOpen && (this.#gates.get(key)?.holders.size ?? 0) >= limit
  }

  inTheWay(): string[] {
    const ids: string[] = []
    for (const { holders, waiting } of this.#gates.values()) {
      if (waiting.size > 0 && ids.length < 1000) ids.push(...holders)
    }
    return ids
  }

  explain(runId: string): GateState | undefined {
    const gate = this.#placeOf.get(runId)
    if (gate === undefined) return undefined
    const ahead = [...gate.waiting].indexOf(runId)
    return { key: gate.key, limit: gate.limit, holders: [...gate.holders], ahead: Math.max(0, ahead) }
  }

  #gateOf({ key, limit }: Admission): Gate {
    const known = this.#gates.get(key)
    if (known !== undefined) {
      known.limit = limit
      return known
    }
    const gate: Gate = { key, limit, holders: new Set(), waiting: new Set(), leaving: new Set() }
    this.#gates.set(key, gate)
    return gate
  }

  #hold(gate: Gate, runId: string): void {
    gate.waiting.delete(runId)
    gate.holders.add(runId)
    this.#placeOf.set(runId, gate)
  }

  #queue(gate: Gate, runId: string): Entered {
    gate.waiting.add(runId)
    this.#placeOf.set(runId, gate)
    return 'queued'
  }

  #decide(admission: Admission, runId: string): Entered {
    const gate = this.#gateOf(admission)
    if (gate.holders.size < gate.limit && gate.waiting.size === 0) {
      this.#hold(gate, runId)
      return 'admitted'
    }
    switch (admission.onConflict) {
      case 'queue':
        return this.#queue(gate, runId)
      case 'cancel_oldest':
        this.#queue(gate, runId)
        this.#cancelOldest(gate)
        return 'queued'
      case 'reject':
        return 'rejected'
      case 'cancel_newest':
        return 'cancelled'
    }
  }

  /** Tells the oldest to end until no more than the limit are left that were not told. */
  #cancelOldest(gate: Gate): void {
    let tooMany = gate.holders.size + gate.waiting.size - gate.leaving.size - gate.limit
    for (const runId of [...gate.holders, ...gate.waiting]) {
      if (tooMany <= 0) return
      if (gate.leaving.has(runId)) continue
      gate.leaving.add(runId)
      tooMany -= 1
      queueMicrotask(() => this.#events.cancel(runId, 'A newer run of this workflow took its place.'))
    }
  }

  #admitNext(gate: Gate): void {
    for (const runId of gate.waiting) {
      if (gate.holders.size >= gate.limit) return
      this.#hold(gate, runId)
      queueMicrotask(() => this.#events.onAdmitted(runId))
    }
    if (gate.holders.size === 0) this.#gates.delete(gate.key)
  }
}

/** What a run with this input needs; undefined when its workflow sets no limit. @throws what the key function throws */
export function admissionOf(
  workflow: string,
  concurrency: WorkflowConcurrency<Json> | undefined,
  input: Json,
): Admission | undefined {
  if (concurrency === undefined) return undefined
  const fault = concurrencyFault(concurrency)
  if (fault !== undefined) throw fault
  const { limit, onConflict } = concurrency
  // The name in front keeps the keys of two workflows apart.
  const key = concurrency.key === undefined ? workflow : `${workflow}/${String(concurrency.key(input))}`
  return { key, limit: Math.max(1, Math.floor(limit)), onConflict }
}

/** Why a workflow that refuses more runs than its limit would refuse one more now; undefined when it would not. */
export function rejectionOf(
  gates: Pick<RunGates, 'isFull'>,
  { type, input }: { type: string; input: Json },
  concurrency: WorkflowConcurrency<Json> | undefined,
): string | undefined {
  if (concurrency?.onConflict !== 'reject') return undefined
  try {
    const admission = admissionOf(type, concurrency, input)
    return admission !== undefined && gates.isFull(admission) ? fullSentence(type, admission) : undefined
  } catch {
    // Its key cannot be had: it is blocked for that when it is to begin.
    return undefined
  }
}

/** A run that began before holds its place. One whose key cannot be had holds none: it is blocked for that when it begins. */
export function holdPlace(
  gates: RunGates,
  run: { runId: string; workflow: string; input: Json },
  loaded: LoadedDefinition,
): void {
  const { concurrency } = loaded.definition
  if (concurrency === undefined) return
  try {
    const admission = admissionOf(run.workflow, concurrency, run.input)
    if (admission !== undefined) gates.hold(admission, run.runId)
  } catch {}
}

/** Whether a run may begin: the place it got, what it waits for, or how it ends instead. */
export type GateAnswer =
  | { kind: 'admitted' }
  | { kind: 'queued'; wait: Shown }
  | { kind: 'refused'; sentence: string; end: Pick<EndEvent, 'type' | 'data'> }
  | { kind: 'blocked'; detail: string }

/** Asks for a place for a run that is about to begin. */
export function enterGate(
  gates: RunGates,
  run: { runId: string; workflow: string; input: Json },
  concurrency: WorkflowConcurrency<Json> | undefined,
): GateAnswer {
  let admission: Admission | undefined
  try {
    admission = admissionOf(run.workflow, concurrency, run.input)
  } catch (error) {
    return { kind: 'blocked', detail: `The concurrency of the definition cannot be had. ${textOf(error)}` }
  }
  if (admission === undefined) return { kind: 'admitted' }
  const sentence = fullSentence(run.workflow, admission)
  switch (gates.enter(admission, run.runId)) {
    case 'admitted':
      return { kind: 'admitted' }
    case 'queued':
      return { kind: 'queued', wait: { reason: 'concurrency', detail: sentence } }
    case 'rejected': {
      const error = { code: 'run_concurrency_reached', message: sentence, retryable: true }
      return { kind: 'refused', sentence, end: { type: 'run.failed', data: { reason: 'rejected', error } } }
    }
    case 'cancelled':
      return { kind: 'refused', sentence, end: { type: 'run.cancelled', data: { reason: sentence } } }
  }
}

/** What is said of a run that is one too many. */
export function fullSentence(workflow: string, { key, limit }: Admission): string {
  const ofKey = key === workflow ? '' : ` for ${key.slice(workflow.length + 1)}`
  return `${limit === 1 ? 'One run' : `At most ${limit} runs`} of ${workflow} at a time${ofKey}.`
}
