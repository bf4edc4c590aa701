import type { ErrorData } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import * as failures from '@kyros/workflows/failures'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import { AskedKeys } from './asked-keys.ts'
import { budgetFault } from './asked-options.ts'
import { errorsOf } from './bundle-errors.ts'
import { HistorySize } from './history-size.ts'
import type { HostOptions, HostRun } from './host-options.ts'
import { reject, type Waiting } from './host-waits.ts'
import { IdleAnswers, idleText } from './idle-answers.ts'
import { toJson } from './json-value.ts'
import { outcomeOf } from './outcome-of.ts'
import { quiesce } from './quiesce.ts'
import { cancellationOf, reaches } from './scope-tree.ts'
import type { Condition as AnyCondition, StartedTimer, StructureHost } from './structure-host.ts'
import type { Command, CommandKind, Continuation, Outcome, Recorded, WaitKind } from './workflow-command.ts'
import * as commands from './workflow-command.ts'
import { HostContext } from './workflow-context.ts'
import { Messages, type QueryAnswer } from './workflow-messages.ts'
import { Patches } from './workflow-patches.ts'
import { createScope, currentScope, inScope, type Scope } from './workflow-scope.ts'
import { startTimer } from './workflow-timers.ts'

export type { Command, Continuation, Outcome, Recorded, TimerName } from './workflow-command.ts'

type Condition = AnyCondition<Scope>

const noConditions: ReadonlySet<Condition> = new Set()
const ignore = () => {}

/**
 * One run of one definition in memory. Facts go in with `apply`, in the order of the log and one at a time;
 * commands come out of `take`. The same facts give the same commands: live and replay are the same code.
 */
export class WorkflowHost implements StructureHost<Scope> {
  run: HostRun
  readonly loaded: LoadedDefinition
  /** Set by the caller while it delivers a history: what the definition logs now was logged before. */
  replaying = false
  nowMs = 0
  divergence: commands.Divergence | undefined
  outcome: Outcome | undefined
  /** Instead of an outcome: the run goes on, with a host of its own for the next part. */
  continuing: Continuation | undefined
  /** How often the run has continued as new. */
  part = 0
  readonly size = new HistorySize()
  /** True while code runs that must only look. */
  isReadOnly = false
  violation: Error | undefined
  readonly root: Scope
  readonly waiting = new Map<number, Waiting>()
  readonly #options: HostOptions
  #commands: Command[] = []
  #issued = 0
  #started = false
  #conditions: Set<Condition> | undefined
  #messages: Messages | undefined
  readonly #keys = new AskedKeys()
  #patches: Patches | undefined
  #loop: { state: Json } | undefined
  readonly #idle = new IdleAnswers()

  constructor(options: HostOptions) {
    this.#options = options
    this.run = options.run
    this.loaded = options.loaded
    this.root = createScope(this, undefined)
  }

  /** Commands asked for since the last call. */
  take(): Command[] {
    if (this.#commands.length === 0) return []
    const commands = this.#commands
    this.#commands = []
    return commands
  }

  get conditions(): ReadonlySet<Condition> {
    return this.#conditions ?? noConditions
  }

  /** Handlers of messages, and messages without one. */
  get messages(): Messages {
    this.#messages ??= new Messages(this)
    return this.#messages
  }

  get patches(): Patches {
    this.#patches ??= new Patches(this)
    return this.#patches
  }

  /** Signals that the definition listens for. */
  get handlers(): ReadonlyMap<string, unknown> {
    return this.messages.signals
  }

  /** True when nothing but a signal could move the run on. */
  get waitsForSignal(): boolean {
    return this.waiting.size === 0 && (this.conditions.size > 0 || this.#messages?.handlesSignals === true)
  }

  /** Number of the last command asked for. */
  get issued(): number {
    return this.#issued
  }

  get cancelled(): boolean {
    return this.root.cancelled !== undefined
  }

  get #isOver(): boolean {
    return this.outcome !== undefined || this.continuing !== undefined
  }

  /**
   * Gives the definition one fact. It goes on in microtasks: before the next fact, and before `take`, the caller waits
   * until they are quiet (one wait serves many hosts), and again for as long as `meetConditions` is true.
   */
  apply(event: NewRunEvent): void {
    if (this.#isOver) return
    this.#idle.reset()
    this.nowMs = event.timeMs
    this.#apply(event)
  }

  /** When all is quiet: wakes a condition that has come true. True: wait again, then ask again. */
  meetConditions(): boolean {
    if (this.#conditions === undefined || this.#conditions.size === 0 || this.#isOver) return false
    for (const condition of this.#conditions) {
      if (!this.#isMet(condition)) continue
      this.#conditions.delete(condition)
      if (this.answeredAtOnce() !== undefined) return false
      this.dropTimer(condition.timer)
      condition.resolve(true)
      return true
    }
    return false
  }

  /** `apply` with a wait of its own: lets the definition go as far as it can. */
  async deliver(event: NewRunEvent): Promise<void> {
    this.apply(event)
    await quiesce()
    while (this.meetConditions()) await quiesce()
  }

  /** Asks the definition; also after the run has ended. Changes nothing. */
  query(name: string, payload: Json): QueryAnswer {
    return this.messages.query(name, payload)
  }

  /** Why an update must not be recorded; undefined when it may be. Changes nothing. */
  refusal(update: string, payload: Json): ErrorData | undefined {
    return this.messages.refusal(update, payload)
  }

  /** After the whole history was delivered: a command in it that the definition did not ask for is a divergence. */
  checkAllIssued(): void {
    if (this.outcome?.kind === 'blocked') return
    for (const [command, recorded] of this.#options.recorded) {
      if (command <= this.#issued) continue
      // Also when the definition has ended: it then did less than the history.
      this.outcome = undefined
      this.continuing = undefined
      this.#commands = []
      this.#diverge(command, recorded, undefined)
      return
    }
  }

  #apply(event: NewRunEvent): void {
    switch (event.type) {
      case 'step.completed':
        this.#resolve(event.data.command, 'step', event.data.step, event.data.output)
        break
      case 'step.failed': {
        const { command, step, attempt, error, retry_at } = event.data
        if (retry_at !== undefined) return
        this.#reject(command, 'step', step, () => {
          return new this.loaded.StepFailure(step, error.code, error.message, attempt)
        })
        break
      }
      case 'timer.fired':
        this.#resolve(event.data.command, 'timer', event.data.timer, null)
        break
      case 'run.started':
        this.#start()
        break
      default:
        this.#applyRarer(event)
    }
  }

  #applyRarer(event: NewRunEvent): void {
    switch (event.type) {
      case 'run.continued': {
        const { input, part = 1, loop, carried } = event.data
        this.run = { ...this.run, input }
        this.part = part
        this.#loop = loop
        if (carried.length > 0) this.messages.carryOver(carried)
        this.#start()
        return
      }
      case 'signal.received':
        this.size.addFact(event.data.payload)
        this.messages.signal(event.data.signal, event.data.payload)
        return
      case 'run.cancel_requested':
        this.size.addFact(null)
        this.cancelScope(this.root, 'The run was cancelled.')
        return
      case 'waitpoint.completed':
        this.#resolve(event.data.command, 'waitpoint', event.data.waitpoint, event.data.payload)
        return
      case 'waitpoint.expired': {
        const { command, waitpoint } = event.data
        this.#reject(
          command,
          'waitpoint',
          waitpoint,
          () => new (errorsOf(this.loaded).WaitpointExpired)(waitpoint),
        )
        return
      }
      case 'child.completed':
        this.#resolve(event.data.command, 'child', event.data.child, event.data.result)
        return
      case 'child.failed': {
        const { command, child, run_id, error } = event.data
        this.#reject(command, 'child', child, () => {
          return new (errorsOf(this.loaded).ChildFailure)(child, run_id, error.code, error.message)
        })
        return
      }
      case 'update.accepted':
        this.#accept(event.data)
        return
      default:
    }
  }

  #accept({ update, update_id, payload }: { update: string; update_id: string; payload: Json }): void {
    this.size.addFact(payload)
    if (this.messages.accept(update, update_id, payload)) return
    const detail = `The history holds the update ${update}, for which the definition has no handler here. It is not the one that this run began with, or it is not repeatable.`
    this.#end(() => ({ kind: 'blocked', detail }))
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    this.size.addFact(this.run.input)
    const context = new HostContext(this)
    const running = inScope(this.root, async () => {
      this.objectTo(budgetFault(this.loaded.definition.budget))
      return this.loaded.definition.run(context, this.run.input)
    })
    running.then(
      (result) => this.#end(() => ({ kind: 'completed', result: toJson(result, 'The result') })),
      (error: unknown) => this.fail(error),
    )
  }

  /** Ends the run with an error that its code let through. */
  fail(error: unknown): void {
    this.#end(() => outcomeOf(error, this.loaded.lineAt))
  }

  /**
   * A fault in what the definition asks for blocks the run here: it throws, and what code makes of that is not done any
   * more. Where the history has gone on from here, the fault was let through then, and is again.
   */
  objectTo(fault: Error | undefined): void {
    if (fault === undefined || this.hasLaterRecorded) return
    this.fail(fault)
    throw fault
  }

  #end(decide: () => Outcome): void {
    if (this.#isOver) return
    let outcome: Outcome
    try {
      outcome = decide()
    } catch (error) {
      outcome = outcomeOf(error, this.loaded.lineAt)
    }
    if (outcome.kind !== 'blocked') this.#dropWaiting('The run ended before the update was answered.')
    this.outcome = outcome
  }

  /** Ends this part; nothing after it is executed. */
  continueAs(next: Pick<Continuation, 'input' | 'loop' | 'upgrade'>): Promise<never> {
    if (this.cancelled) this.#end(() => ({ kind: 'cancelled' }))
    if (!this.#isOver) {
      this.#dropWaiting('The run continued as new before the update was answered.')
      const carried = this.#messages?.unhandled ?? []
      this.continuing = { ...next, part: this.part + 1, carried }
    }
    return new Promise(ignore)
  }

  takeLoopState(initial: Json): Json {
    const carried = this.#loop
    this.#loop = undefined
    return carried === undefined ? initial : carried.state
  }

  /** What the definition left running when it ended is cancelled. */
  #dropWaiting(why: string): void {
    for (const [command, { kind }] of this.waiting) {
      this.#commands.push({ kind: `cancel_${kind}`, command, runEnded: true })
    }
    this.waiting.clear()
    this.#conditions?.clear()
    this.#messages?.endAll(why)
  }

  #resolve(command: number, kind: WaitKind, name: string, value: Json): void {
    this.size.addFact(value)
    const waiting = this.#settled(command, kind, name)
    waiting?.resolve(value)
  }

  #reject(command: number, kind: WaitKind, name: string, error: () => Error): void {
    this.size.addFact(null)
    const waiting = this.#settled(command, kind, name)
    if (waiting !== undefined) reject(waiting, error())
  }

  #settled(command: number, kind: WaitKind, name: string): Waiting | undefined {
    const waiting = this.waiting.get(command)
    if (waiting !== undefined) this.waiting.delete(command)
    else if (command > this.#issued) {
      this.#diverge(command, this.#options.recorded.get(command) ?? { kind, name }, undefined)
    }
    return waiting
  }

  /** Cancels what was begun in a scope, shields aside, and all that will be. */
  cancelScope(scope: Scope, message: string): void {
    if (scope.cancelled !== undefined || this.#isOver) return
    const error = new this.loaded.Cancelled(message)
    scope.cancelled = error
    for (const [command, waiting] of this.waiting) {
      if (!reaches(scope, waiting.scope)) continue
      this.waiting.delete(command)
      this.#commands.push({ kind: `cancel_${waiting.kind}`, command })
      reject(waiting, error)
    }
    for (const condition of this.conditions) {
      if (!reaches(scope, condition.scope)) continue
      this.#conditions?.delete(condition)
      condition.reject(error)
    }
  }

  #isMet(condition: Condition): boolean {
    this.isReadOnly = true
    try {
      return inScope(condition.scope, condition.predicate)
    } catch (error) {
      this.fail(error)
      return false
    } finally {
      this.isReadOnly = false
    }
  }

  addCondition(condition: Condition): void {
    this.#conditions ??= new Set()
    this.#conditions.add(condition)
  }

  /** True when it was still waiting. */
  dropCondition(condition: Condition): boolean {
    return this.#conditions?.delete(condition) ?? false
  }

  createScope(parent: Scope, kind?: 'plain' | 'shield'): Scope {
    return createScope(this, parent, kind)
  }

  inScope<T>(scope: Scope, body: () => T): T {
    return inScope(scope, body)
  }

  startTimer(name: commands.TimerName, durationMs: number): StartedTimer {
    return startTimer(this, name, durationMs)
  }

  /** Cancels a timer that is not needed any more; 0 is none. */
  dropTimer(command: number): void {
    if (command === 0 || !this.waiting.delete(command)) return
    this.#commands.push({ kind: 'cancel_timer', command })
  }

  /** The scope of the calling workflow code. @throws ReadOnlyViolation where code must only look */
  enter(): Scope {
    const found = currentScope()
    const scope = found?.owner === this ? found : this.root
    if (!this.isReadOnly && !scope.readOnly) return scope
    this.violation = new failures.ReadOnlyViolation('Queries, validators and conditions must only look.')
    throw this.violation
  }

  /** What a call in a cancelled scope gives; undefined in any other. */
  cancelledIn(scope: Scope): Promise<never> | undefined {
    const error = cancellationOf(scope)
    if (error === undefined) return undefined
    const promise = Promise.reject(error)
    promise.catch(ignore)
    return this.answeredAtOnce() ?? promise
  }

  /**
   * Called where the code is answered without waiting. Beyond a bound the run is blocked and what is given instead never
   * settles; where the history went on from there, it goes on again.
   */
  answeredAtOnce(): Promise<never> | undefined {
    if (!this.#idle.add()) return undefined
    if (!this.hasLaterRecorded) {
      this.fail(new RangeError(idleText))
      return new Promise(ignore)
    }
    this.#idle.reset()
    return undefined
  }

  log(level: 'info' | 'warn' | 'error', message: string): void {
    if (!this.isReadOnly) this.onLog(level, message)
  }

  /** An exception out of a callback of the definition, which no promise of it sees. */
  onThrown(error: unknown): void {
    this.fail(error)
  }

  onLog(level: 'info' | 'warn' | 'error', message: string): void {
    this.#options.onLog(level, message)
  }

  /** The next key of a step or child. @throws when a given key is used twice */
  nextKey(kind: 'step' | 'child', name: string, given: string | undefined): string {
    return this.#keys.next(kind, name, given, this.part)
  }

  /** Numbers a command. 0: nothing more is asked for, because the run is over or its history says otherwise. */
  begin(kind: CommandKind, name: string, payload: Json = null): number {
    if (this.#isOver) return 0
    const command = this.#issued + 1
    this.#issued = command
    this.#idle.reset()
    const recorded = this.#options.recorded.get(command)
    if (recorded === undefined) this.objectTo(this.size.fault)
    this.size.addCommand(kind, payload)
    if (recorded === undefined || (recorded.kind === kind && recorded.name === name)) return command
    this.#diverge(command, recorded, { kind, name })
    return 0
  }

  ask(command: Command): void {
    this.#commands.push(command)
  }

  /** Waits for the result of a command; for ever when its number is 0. */
  wait(command: number, kind: WaitKind, name: string, scope: Scope): Promise<Json> {
    if (command === 0) return new Promise(ignore)
    const { promise, resolve, reject } = Promise.withResolvers<Json>()
    this.waiting.set(command, { kind, name, scope, promise, resolve, reject })
    return promise
  }

  waitpointToken(command: number): string {
    const { run, waitpointToken } = this.#options
    return waitpointToken?.(this.part, command) ?? `${run.runId}.${command}`
  }

  /** Whether the history holds a command that was not asked for yet. */
  get hasLaterRecorded(): boolean {
    for (const command of this.#options.recorded.keys()) if (command > this.#issued) return true
    return false
  }

  /** What the history holds under the next number. */
  get nextRecorded(): Recorded | undefined {
    return this.#options.recorded.get(this.#issued + 1)
  }

  #diverge(command: number, recorded: Recorded, asked: Recorded | undefined): void {
    this.divergence = { command, recorded, asked }
    const detail = commands.divergenceText(this.divergence)
    this.#end(() => ({ kind: 'blocked', detail }))
  }
}
