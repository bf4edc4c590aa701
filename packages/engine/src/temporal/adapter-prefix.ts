import { CancellationScope } from '@temporalio/workflow'
import type { AdapterHost } from './adapter-host.ts'
import type { AdapterMessages } from './adapter-messages.ts'
import type { Prefix, PrefixCommand, PrefixOutcome } from './start-facts.ts'

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
  readonly #patches = new Map<string, boolean>()
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
  async play(host: AdapterHost): Promise<void> {
    for (const outcome of this.#outcomes) {
      await host.settled()
      if (this.#state !== 'playing') return
      this.#nowMs = outcome.timeMs ?? this.#nowMs
      this.#deliver(outcome, host)
    }
    await host.settled()
    this.#end('played')
  }

  /** What was taken over under this number. @throws for another command than was asked for then: the task fails */
  taken(kind: string, name: string, command: number): PrefixCommand | undefined {
    const known = this.#known(command)
    if (known === undefined || (known.kind === kind && known.name === name)) return known
    throw new Error(
      `Command ${command}: the fork took over ${known.kind} ${known.name}, the definition asks for ${kind} ${name}.`,
    )
  }

  /** Whether the run before asked for it already. */
  isKnown(command: number): boolean {
    return this.#known(command) !== undefined
  }

  /** Whether the run before was told of its end. What was cancelled then is cancelled again, by the definition. */
  isEnded(command: number): boolean {
    return this.#known(command)?.ended === true
  }

  /** When a timer fires that was under way when the fork was made. */
  fireAtMs(command: number): number | undefined {
    return this.#known(command)?.fireAtMs
  }

  #known(command: number): PrefixCommand | undefined {
    return this.#state === 'stopped' ? undefined : this.#commands.get(command)
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

  #deliver(outcome: PrefixOutcome, host: AdapterHost): void {
    switch (outcome.kind) {
      case 'signal':
        this.#messages.deliver(outcome)
        return
      case 'completed':
        host.settle(outcome.command, { value: outcome.output })
        return
      case 'fired':
        host.settle(outcome.command, { value: null })
        return
      case 'failed': {
        const { command, error, attempt } = outcome
        const step = this.#commands.get(command)?.name ?? ''
        const { StepFailure } = host.loaded
        host.settle(command, { error: new StepFailure(step, error.code, error.message, attempt) })
      }
    }
  }

  #end(state: 'played' | 'stopped'): void {
    if (this.#state !== 'playing') return
    this.#state = state
    this.#messages.release()
  }
}
