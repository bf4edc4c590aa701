import type { Json } from '@kyros/contract/json'
import { CancellationScope, condition } from '@temporalio/workflow'
import type { DefinitionBundle } from './adapter-errors.ts'
import type { AdapterMessages } from './adapter-messages.ts'
import type { Prefix, PrefixCommand, PrefixOutcome } from './start-facts.ts'

type End = Exclude<PrefixOutcome, { kind: 'signal' }>

/**
 * Plays to the definition of a fork what it took over: one outcome after the other, each when the definition has come as
 * far as it can. All of it happens in the first activation, before anything of this run's own is heard.
 */
export class AdapterPrefix {
  /** The highest number of a command that was taken over. */
  readonly last: number
  readonly #commands: ReadonlyMap<number, PrefixCommand>
  readonly #outcomes: readonly PrefixOutcome[]
  readonly #messages: AdapterMessages
  readonly #ends = new Map<number, End>()
  readonly #waiting = new Map<number, (end: End) => void>()
  readonly #patches = new Map<string, boolean>()
  #unblocked = 0
  #nowMs: number
  #state: 'playing' | 'played' | 'stopped' = 'playing'

  constructor({ startedMs, commands, outcomes }: Prefix, messages: AdapterMessages) {
    this.#commands = new Map(commands.map((known) => [known.command, known]))
    this.last = Math.max(0, ...this.#commands.keys())
    this.#outcomes = outcomes
    this.#nowMs = startedMs
    this.#messages = messages
    messages.hold()
    // Whoever asks for something from here on asks for something else than the run before.
    CancellationScope.current().cancelRequested.catch(() => this.#end('stopped'))
  }

  /** What the clock showed; undefined once what was taken over is through. */
  get nowMs(): number | undefined {
    return this.#state === 'playing' ? this.#nowMs : undefined
  }

  /** Set where the run was cancelled before all was played: its commands have numbers of their own from then on. */
  get isStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** Until all is played, or the run is cancelled. */
  async play(): Promise<void> {
    // Conditions are looked at before the first microtask, too: that look would be too early.
    await null
    try {
      for (const outcome of this.#outcomes) {
        await this.#settled()
        if (this.#state !== 'playing') return
        this.#nowMs = outcome.timeMs ?? this.#nowMs
        this.#deliver(outcome)
      }
      await this.#settled()
      this.#end('played')
    } catch {
      this.#end('stopped')
    }
  }

  /** What was taken over under this number. @throws for another command than was asked for then: the task fails */
  taken(kind: string, name: string, command: number): PrefixCommand | undefined {
    const known = this.#state === 'stopped' ? undefined : this.#commands.get(command)
    if (known === undefined || (known.kind === kind && known.name === name)) return known
    throw new Error(
      `Command ${command}: the fork took over ${known.kind} ${known.name}, the definition asks for ${kind} ${name}.`,
    )
  }

  /** How it ended. What was cancelled then is cancelled again, by the definition. */
  async endOf(command: number): Promise<End> {
    const { promise, resolve } = Promise.withResolvers<End>()
    const known = this.#ends.get(command)
    if (known !== undefined) resolve(known)
    else this.#waiting.set(command, resolve)
    const scope = CancellationScope.current()
    return scope.cancellable ? Promise.race([promise, scope.cancelRequested]) : promise
  }

  /** @throws StepFailure */
  async endOfStep(command: number, step: string, { StepFailure }: DefinitionBundle): Promise<Json> {
    const end = await this.endOf(command)
    if (end.kind === 'failed') throw new StepFailure(step, end.error.code, end.error.message, end.attempt)
    return end.kind === 'completed' ? end.output : null
  }

  /**
   * Which way a patch took in what was taken over, `marked` where it was recorded as the next command. Undefined: it was
   * not asked for there.
   */
  patch(id: string, next: number): { isNew: boolean; marked: boolean } | undefined {
    const known = this.#patches.get(id)
    if (known !== undefined) return { isNew: known, marked: false }
    if (this.#state === 'stopped' || next > this.last) return undefined
    const recorded = this.#commands.get(next)
    const isNew = recorded?.kind === 'value' && recorded.name === `patch:${id}`
    this.#patches.set(id, isNew)
    return { isNew, marked: isNew }
  }

  /** A condition of the definition that `play` knows of: who waits for it goes on first. */
  watched(predicate: () => boolean): () => boolean {
    return () => {
      const holds = predicate()
      if (holds) this.#unblocked += 1
      return holds
    }
  }

  /** Conditions are looked at when no microtask is left; those that hold may lead to others. */
  async #settled(): Promise<void> {
    let before: number
    do {
      before = this.#unblocked
      let isAsked = false
      await condition(() => {
        const wasAsked = isAsked
        isAsked = true
        return wasAsked
      })
    } while (this.#unblocked !== before)
  }

  #deliver(outcome: PrefixOutcome): void {
    if (outcome.kind === 'signal') {
      this.#messages.deliver(outcome)
      return
    }
    this.#ends.set(outcome.command, outcome)
    this.#waiting.get(outcome.command)?.(outcome)
    this.#waiting.delete(outcome.command)
  }

  #end(state: 'played' | 'stopped'): void {
    if (this.#state !== 'playing') return
    this.#state = state
    this.#messages.release()
  }
}
