import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import { toJson } from './payload.ts'
import { quiesce } from './quiesce.ts'
import type { ResolvedStepOptions } from './retry-policy.ts'
import { createWorkflowContext } from './workflow-context.ts'
import { inScope } from './workflow-scope.ts'

/** What the definition asks for. Numbers count from 1 in the order of asking. */
export type Command =
  | { kind: 'step'; command: number; step: string; key: string; input: Json; options: ResolvedStepOptions }
  | { kind: 'timer'; command: number; name: TimerName; durationMs: number }
  /** `runEnded`: the definition did not cancel it, but ended without it. */
  | { kind: 'cancel_step' | 'cancel_timer'; command: number; runEnded?: true }

export type TimerName = 'sleep' | 'condition'

/** How the definition's promise ended; `blocked` is a bug in the definition, not an end of the run. */
export type Outcome =
  | { kind: 'completed'; result: Json }
  | { kind: 'failed'; reason: 'workflow_failed' | 'step_failed'; error: ErrorData }
  | { kind: 'cancelled' }
  | { kind: 'blocked'; detail: string }

/** A command as the history holds it. */
export type Recorded = { kind: 'step' | 'timer'; name: string }

export type HostRun = {
  runId: string
  workflow: string
  version: string
  attempt: number
  maxRetries: number
  input: Json
}

export type HostOptions = {
  run: HostRun
  loaded: LoadedDefinition
  /** Commands of the history by number: what is asked for must be the same. */
  recorded: ReadonlyMap<number, Recorded>
  /** Called for `context.log`, also during replay: the caller drops what it has seen. */
  onLog: (level: 'info' | 'warn' | 'error', message: string) => void
}

type Waiting = {
  kind: 'step' | 'timer'
  name: string
  shielded: boolean
  resolve: (value: Json) => void
  reject: (error: Error) => void
}

type Condition = {
  predicate: () => boolean
  shielded: boolean
  timer: number | undefined
  resolve: (met: boolean) => void
  reject: (error: Error) => void
}

/**
 * One run of one definition in memory. Facts go in with `deliver`, in the order of the log and one at a time;
 * commands come out of `take`. The same facts give the same commands: live and replay are the same code.
 */
export class WorkflowHost {
  readonly run: HostRun
  readonly loaded: LoadedDefinition
  readonly onLog: HostOptions['onLog']
  nowMs = 0
  outcome: Outcome | undefined
  cancelled = false
  readonly handlers = new Map<string, (payload: Json) => void>()
  readonly conditions = new Set<Condition>()
  readonly waiting = new Map<number, Waiting>()
  readonly #recorded: ReadonlyMap<number, Recorded>
  readonly #unhandled: { signal: string; payload: Json }[] = []
  readonly #keys = new Map<string, number>()
  #commands: Command[] = []
  #issued = 0

  constructor(options: HostOptions) {
    this.run = options.run
    this.loaded = options.loaded
    this.onLog = options.onLog
    this.#recorded = options.recorded
  }

  /** Commands asked for since the last call. */
  take(): Command[] {
    const commands = this.#commands
    this.#commands = []
    return commands
  }

  /** True when nothing but a signal could move the run on. */
  get waitsForSignal(): boolean {
    return this.waiting.size === 0 && (this.conditions.size > 0 || this.handlers.size > 0)
  }

  /**
   * Gives the definition one fact. It goes on in microtasks: before the next fact, and before `take`, the caller waits
   * until they are quiet (one wait serves many hosts), and again for as long as `meetConditions` is true.
   */
  apply(event: NewRunEvent): void {
    if (this.outcome !== undefined) return
    this.nowMs = event.timeMs
    this.#apply(event)
  }

  /** When all is quiet: wakes a condition that has come true. True: wait again, then ask again. */
  meetConditions(): boolean {
    return this.outcome === undefined && this.conditions.size > 0 && this.#meetConditions()
  }

  /** `apply` with a wait of its own: lets the definition go as far as it can. */
  async deliver(event: NewRunEvent): Promise<void> {
    this.apply(event)
    await quiesce()
    while (this.meetConditions()) await quiesce()
  }

  /** After the whole history was delivered: a command in it that the definition did not ask for is a divergence. */
  checkAllIssued(): void {
    if (this.outcome?.kind === 'blocked') return
    for (const [command, recorded] of this.#recorded) {
      if (command <= this.#issued) continue
      // Also when the definition has ended: it then did less than the history.
      this.outcome = undefined
      this.#commands = []
      this.#diverge(command, recorded, undefined)
      return
    }
  }

  #apply(event: NewRunEvent): void {
    switch (event.type) {
      case 'run.started':
        this.#start()
        break
      case 'step.completed':
        this.#settle(event.data.command, event.data.step, (w) => w.resolve(event.data.output))
        break
      case 'step.failed': {
        const { command, step, attempt, error } = event.data
        if (event.data.retry_at !== undefined) return
        const failure = new this.loaded.StepFailure(step, error.code, error.message, attempt)
        this.#settle(command, step, (w) => w.reject(failure))
        break
      }
      case 'timer.fired':
        this.#settle(event.data.command, event.data.timer, (w) => w.resolve(null))
        break
      case 'signal.received':
        this.#signal(event.data.signal, event.data.payload)
        break
      case 'run.cancel_requested':
        this.#cancel()
        break
      default:
    }
  }

  #start(): void {
    const context = createWorkflowContext(this)
    const running = inScope(this, false, async () => this.loaded.definition.run(context, this.run.input))
    running.then(
      (result) => this.#end(() => ({ kind: 'completed', result: toJson(result, 'The result') })),
      (error: unknown) => this.#end(() => outcomeOf(error)),
    )
  }

  #end(decide: () => Outcome): void {
    if (this.outcome !== undefined) return
    try {
      this.outcome = decide()
    } catch (error) {
      this.outcome = outcomeOf(error)
    }
    if (this.outcome.kind !== 'blocked') this.#dropWaiting()
  }

  /** What the definition left running when it ended is cancelled. */
  #dropWaiting(): void {
    for (const [command, { kind }] of this.waiting) {
      this.#commands.push({ ...cancelOf(kind, command), runEnded: true })
    }
    this.waiting.clear()
    this.conditions.clear()
  }

  #settle(command: number, name: string, settle: (waiting: Waiting) => void): void {
    const waiting = this.waiting.get(command)
    if (waiting !== undefined) {
      this.waiting.delete(command)
      settle(waiting)
    } else if (command > this.#issued) {
      this.#diverge(command, this.#recorded.get(command) ?? { kind: 'step', name }, undefined)
    }
  }

  #signal(signal: string, payload: Json): void {
    const handler = this.handlers.get(signal)
    if (handler === undefined) this.#unhandled.push({ signal, payload })
    else this.#handle(handler, payload)
  }

  #handle(handler: (payload: Json) => void, payload: Json): void {
    try {
      inScope(this, false, () => handler(payload))
    } catch (error) {
      this.#end(() => outcomeOf(error))
    }
  }

  /** Signals that came before their handler are handled when it is set, in the order they came. */
  setHandler(signal: string, handler: (payload: Json) => void): void {
    this.handlers.set(signal, handler)
    const early = this.#unhandled.filter((entry) => entry.signal === signal)
    for (const entry of early) {
      this.#unhandled.splice(this.#unhandled.indexOf(entry), 1)
      this.#handle(handler, entry.payload)
    }
  }

  #cancel(): void {
    if (this.cancelled) return
    this.cancelled = true
    for (const [command, waiting] of this.waiting) {
      if (waiting.shielded) continue
      this.waiting.delete(command)
      this.#commands.push(cancelOf(waiting.kind, command))
      waiting.reject(this.cancelledError())
    }
    for (const condition of this.conditions) {
      if (condition.shielded) continue
      this.conditions.delete(condition)
      condition.reject(this.cancelledError())
    }
  }

  cancelledError(): Error {
    return new this.loaded.Cancelled('The run was cancelled.')
  }

  #meetConditions(): boolean {
    for (const condition of this.conditions) {
      if (!this.#isMet(condition)) continue
      this.conditions.delete(condition)
      this.dropTimer(condition.timer)
      condition.resolve(true)
      return true
    }
    return false
  }

  #isMet(condition: Condition): boolean {
    try {
      return inScope(this, condition.shielded, condition.predicate)
    } catch (error) {
      this.#end(() => outcomeOf(error))
      return false
    }
  }

  /** Cancels the timer of a condition that was met. */
  dropTimer(command: number | undefined): void {
    if (command === undefined || !this.waiting.delete(command)) return
    this.#commands.push({ kind: 'cancel_timer', command })
  }

  /** The next key of a step: its name, with `#n` from the second use on. @throws when a given key is used twice */
  nextKey(step: string, given: string | undefined): string {
    const uses = (this.#keys.get(given ?? step) ?? 0) + 1
    this.#keys.set(given ?? step, uses)
    if (given !== undefined && uses > 1) throw new Error(`The step key ${given} is used twice in this run.`)
    return given ?? (uses === 1 ? step : `${step}#${uses}`)
  }

  /** Numbers a command and waits for its result. A command that the history knows otherwise blocks the run. */
  issue(
    make: (command: number) => Extract<Command, { kind: 'step' | 'timer' }>,
    shielded: boolean,
  ): Promise<Json> {
    if (this.outcome !== undefined) return new Promise(() => {})
    const asked = make(this.#issued + 1)
    this.#issued = asked.command
    const name = asked.kind === 'step' ? asked.step : asked.name
    const recorded = this.#recorded.get(asked.command)
    if (recorded !== undefined && (recorded.kind !== asked.kind || recorded.name !== name)) {
      this.#diverge(asked.command, recorded, { kind: asked.kind, name })
      return new Promise(() => {})
    }
    this.#commands.push(asked)
    const result = new Promise<Json>((resolve, reject) => {
      this.waiting.set(asked.command, { kind: asked.kind, name, shielded, resolve, reject })
    })
    // A result that the definition never looks at is not an unhandled rejection.
    result.catch(() => {})
    return result
  }

  /** Number of the last command asked for. */
  get issued(): number {
    return this.#issued
  }

  #diverge(command: number, recorded: Recorded, asked: Recorded | undefined): void {
    const history = `the history holds ${recorded.kind} ${recorded.name}`
    const code = asked === undefined ? 'nothing' : `${asked.kind} ${asked.name}`
    const detail = `Command ${command}: ${history}, the definition asks for ${code}. The definition is not the one that this run began with, or it is not repeatable.`
    this.#end(() => ({ kind: 'blocked', detail }))
  }
}

function cancelOf(kind: 'step' | 'timer', command: number) {
  return { kind: kind === 'step' ? ('cancel_step' as const) : ('cancel_timer' as const), command }
}

/** By name and not by class: the error may come from any bundle. */
function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Error)) return { kind: 'blocked', detail: `The definition threw ${String(error)}.` }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  switch (error.name) {
    case 'Cancelled':
      return { kind: 'cancelled' }
    case 'WorkflowFailure':
      return { kind: 'failed', reason: 'workflow_failed', error: { code, message: error.message } }
    case 'StepFailure':
      return { kind: 'failed', reason: 'step_failed', error: { code, message: error.message } }
    default:
      return { kind: 'blocked', detail: `The definition threw ${error.name}: ${error.message}` }
  }
}
