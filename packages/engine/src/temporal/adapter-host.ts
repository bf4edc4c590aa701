import type { Json } from '@kyros/contract/json'
import { CancellationScope, condition as whenTrue } from '@temporalio/workflow'
import { AskedKeys } from '../embedded/asked-keys.ts'
import type { HistorySize } from '../embedded/history-size.ts'
import { cancellationOf, reaches } from '../embedded/scope-tree.ts'
import type { Condition as AnyCondition, StartedTimer, StructureHost } from '../embedded/structure-host.ts'
import type { CommandKind, TimerName } from '../embedded/workflow-command.ts'
import type { DefinitionBundle } from './adapter-errors.ts'
import type { AdapterMessages } from './adapter-messages.ts'
import { toPayload } from './adapter-payload.ts'
import { phase } from './adapter-phase.ts'
import type { AdapterPrefix } from './adapter-prefix.ts'
import { type AdapterScope, createScope, currentScope, inScope } from './adapter-scopes.ts'

type Condition = AnyCondition<AdapterScope>
type Waiting = {
  readonly scope: AdapterScope
  resolve(value: Json): void
  reject(error: unknown): void
  /** Ends what was asked of the cluster; nobody hears of it. */
  cancel(): void
}

/** What the next part of the run begins with. */
export type Next = { input: Json; loop?: { state: Json } }
export type Ended = { result: unknown } | Next

export type AdapterHostOptions = {
  bundle: DefinitionBundle
  input: Json
  part: number
  size: HistorySize
  messages: AdapterMessages
  prefix: AdapterPrefix | undefined
  /** What the next part must know of a loop. */
  loop: { state: Json } | undefined
  beginTimer(name: TimerName, command: number, durationMs: number): Promise<Json>
  /** The number of conditions without a limit of time that are waited for has changed. */
  onConditions(count: number): void
}

const ignore = () => {}

/**
 * What a definition waits for on a cluster. The rules by which its branches are woken, and in which order, are those of
 * the embedded engine (`workflow-host.ts`): as many turns between a fact and what the definition does next.
 */
export class AdapterHost implements StructureHost<AdapterScope> {
  readonly loaded: DefinitionBundle
  readonly run: { readonly input: Json }
  readonly size: HistorySize
  readonly messages: AdapterMessages
  readonly root = createScope(undefined)
  readonly #options: AdapterHostOptions
  readonly #keys = new AskedKeys()
  readonly #waiting = new Map<number, Waiting>()
  readonly #conditions = new Set<Condition>()
  readonly #ended = Promise.withResolvers<Ended>()
  /** Asked of the cluster in a scope of its own: the SDK's cancellation of the run does not reach it. */
  readonly #detached = new CancellationScope({ cancellable: false })
  #settled: (() => void)[] = []
  #loop: { state: Json } | undefined
  #issued = 0
  #isOver = false
  #isWatching = false
  #isRegistering = false

  constructor(options: AdapterHostOptions) {
    this.#options = options
    this.loaded = options.bundle
    this.run = { input: options.input }
    this.size = options.size
    this.messages = options.messages
    this.#loop = options.loop
    CancellationScope.current().cancelRequested.catch(() => {
      this.size.addFact(null)
      this.cancelScope(this.root, 'The run was cancelled.')
    })
  }

  /** How the definition ends, or its part of the run does. @throws what it throws */
  get ended(): Promise<Ended> {
    return this.#ended.promise
  }

  get issued(): number {
    return this.#issued
  }

  get nowMs(): number {
    return this.#options.prefix?.nowMs ?? Date.now()
  }

  start(body: () => Promise<unknown>): void {
    this.size.addFact(this.run.input)
    const running = inScope(this.root, async () => body())
    running.then(
      (result) => this.#end(() => this.#ended.resolve({ result })),
      (error: unknown) => this.fail(error),
    )
  }

  /** Ends the run with an error, whatever its definition does. */
  fail(error: unknown): void {
    this.#end(() => this.#ended.reject(error))
  }

  /** A fault in what the definition asks for blocks the run; what code makes of it is not done any more. @throws it */
  objectTo(fault: Error | undefined): void {
    // What a fork took over was let through then.
    if (fault === undefined || this.#options.prefix?.nowMs !== undefined) return
    this.fail(fault)
    throw fault
  }

  #end(end: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    // The end of the run ends what it left running.
    this.#waiting.clear()
    this.#conditions.clear()
    end()
  }

  continueAs({ input, loop }: Next): Promise<never> {
    if (this.root.cancelled !== undefined) this.fail(this.root.cancelled)
    try {
      const next = toPayload(input, 'The input of the next part')
      const state = loop && { loop: { state: toPayload(loop.state, 'The state of the loop') } }
      this.#end(() => this.#ended.resolve({ input: next, ...state }))
    } catch (error) {
      this.fail(error)
    }
    return new Promise(ignore)
  }

  takeLoopState(initial: Json): Json {
    const carried = this.#loop
    this.#loop = undefined
    return carried === undefined ? initial : carried.state
  }

  /** @throws in a query, a validator or a condition, which must not change anything */
  enter(): AdapterScope {
    this.messages.mustNotLook()
    return currentScope() ?? this.root
  }

  createScope(parent: AdapterScope, kind?: 'plain' | 'shield'): AdapterScope {
    return createScope(parent, kind)
  }

  inScope<T>(scope: AdapterScope, body: () => T): T {
    return inScope(scope, body)
  }

  cancelledIn(scope: AdapterScope): Promise<never> | undefined {
    const error = cancellationOf(scope)
    if (error === undefined) return undefined
    const promise = Promise.reject(error)
    promise.catch(ignore)
    return promise
  }

  /** The SDK itself ends a task that never waits for anything. */
  answeredAtOnce(): undefined {
    return undefined
  }

  /** The next key of a step or child, as the embedded engine gives it. @throws when a given key is used twice */
  nextKey(kind: 'step' | 'child', name: string, given: string | undefined): string {
    return this.#keys.next(kind, name, given, this.#options.part)
  }

  /** Numbers a command, as the embedded engine does. 0: nothing more is asked for, because the run is over. */
  begin(kind: CommandKind, name: string, payload: Json = null): number {
    if (this.#isOver) return 0
    const { prefix } = this.#options
    if (prefix?.isStopped === true) this.#issued = Math.max(this.#issued, prefix.last)
    const command = this.#issued + 1
    this.#issued = command
    this.size.addCommand(kind, payload)
    prefix?.taken(kind, name, command)
    return command
  }

  /**
   * Asks the cluster for something and gives its end to whoever waits; for ever when its number is 0. What a fork took
   * over with its end is not asked for again: `settle` gives that end.
   */
  wait(command: number, scope: AdapterScope, ask: () => Promise<Json>): Promise<Json> {
    if (command === 0) return new Promise(ignore)
    const { promise, resolve, reject } = Promise.withResolvers<Json>()
    const operation = new CancellationScope({ cancellable: true, parent: this.#detached })
    this.#waiting.set(command, {
      ...{ scope, resolve, cancel: () => operation.cancel() },
      reject: (error) => {
        // A result that the definition never looks at is not an unhandled rejection.
        promise.catch(ignore)
        reject(error)
      },
    })
    if (this.#options.prefix?.isEnded(command) === true) return promise
    operation.run(ask).then(
      (value) => this.settle(command, { value }),
      (error: unknown) => this.settle(command, { error }),
    )
    return promise
  }

  /** Tells the definition how a command ended; nothing when it does not wait for it any more. */
  settle(command: number, end: { value: Json } | { error: unknown }): void {
    const waiting = this.#waiting.get(command)
    if (waiting === undefined) return
    this.#waiting.delete(command)
    this.size.addFact('value' in end ? end.value : null)
    if ('value' in end) waiting.resolve(end.value)
    else waiting.reject(end.error)
  }

  startTimer(name: TimerName, durationMs: number): StartedTimer {
    const scope = this.enter()
    const cancelled = this.cancelledIn(scope)
    if (cancelled !== undefined) return { command: 0, fired: cancelled }
    const command = this.begin('timer', name)
    const ask = () => this.#options.beginTimer(name, command, durationMs)
    return { command, fired: this.wait(command, scope, ask) }
  }

  dropTimer(command: number): void {
    this.#waiting.get(command)?.cancel()
    this.#waiting.delete(command)
  }

  cancelScope(scope: AdapterScope, message: string): void {
    if (scope.cancelled !== undefined || this.#isOver) return
    const error = new this.loaded.Cancelled(message)
    scope.cancelled = error
    for (const [command, waiting] of this.#waiting) {
      if (!reaches(scope, waiting.scope)) continue
      this.#waiting.delete(command)
      waiting.cancel()
      waiting.reject(error)
    }
    for (const condition of this.#conditions) {
      if (!reaches(scope, condition.scope)) continue
      this.dropCondition(condition)
      condition.reject(error)
    }
  }

  addCondition(condition: Condition): void {
    if (this.#isOver) return
    this.#conditions.add(condition)
    this.#tellConditions(condition)
    void this.#watch()
  }

  dropCondition(condition: Condition): boolean {
    if (!this.#conditions.delete(condition)) return false
    this.#tellConditions(condition)
    return true
  }

  #tellConditions({ timer }: Condition): void {
    if (timer !== 0) return
    let count = 0
    for (const one of this.#conditions) if (one.timer === 0) count += 1
    this.#options.onConditions(count)
  }

  /** Resolves when the definition has gone as far as it can. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled.push(resolve)
      void this.#watch()
    })
  }

  /** One condition of the SDK stands for all: it is looked at when no microtask is left. */
  async #watch(): Promise<void> {
    if (this.#isWatching) return
    this.#isWatching = true
    while (!this.#isOver && (this.#conditions.size > 0 || this.#settled.length > 0)) {
      await this.#detached.run(() => this.#whenQuiet())
    }
    this.#isWatching = false
  }

  #whenQuiet(): Promise<void> {
    // The SDK looks at once, too, while other code may still run.
    this.#isRegistering = true
    try {
      return whenTrue(() => !this.#isRegistering && !phase.isActivating && this.#wakeOne())
    } finally {
      this.#isRegistering = false
    }
  }

  /** One at a time: what it does may change what the next one looks at. */
  #wakeOne(): boolean {
    if (this.#isOver) return false
    for (const condition of this.#conditions) {
      if (!this.#isMet(condition)) continue
      this.dropCondition(condition)
      this.dropTimer(condition.timer)
      condition.resolve(true)
      return true
    }
    const settled = this.#settled.shift()
    settled?.()
    return settled !== undefined
  }

  #isMet({ scope, predicate }: Condition): boolean {
    try {
      return this.messages.look(() => inScope(scope, predicate))
    } catch (error) {
      this.fail(error)
      return false
    }
  }
}
