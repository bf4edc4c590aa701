import type { Json } from '@kyros/contract/json'
import { messageOf } from '../error-text.ts'
import type { EngineParts } from './engine-parts.ts'
import type { History } from './history.ts'
import { PayloadError } from './json-value.ts'
import { beginNextPart, type PartsOf } from './next-part.ts'
import { isSmall, toStored } from './payload.ts'
import type { RunAsks } from './run-asks.ts'
import type { RunFacts } from './run-facts.ts'
import { newRow, type RunSteps } from './run-steps.ts'
import type { RunTimers } from './run-timers.ts'
import type { Player } from './turns.ts'
import type { Command, WorkflowHost } from './workflow-host.ts'

/** Whose commands they are. */
export type CommandsOf = Player &
  PartsOf & {
    readonly timers: RunTimers
    readonly steps: RunSteps
    /** What replay compares with; empty once the run has caught up. */
    readonly history: History
    /** What it asks of the outside beside steps and timers. */
    asked(): RunAsks
  }

type StepCommand = Extract<Command, { kind: 'step' }>
type UpdateResult = Extract<Command, { kind: 'update_result' }>
type Priority = RunFacts['priority']
type CommandParts = Pick<EngineParts, 'store' | 'turns' | 'definitions' | 'handsOver'>

/** What the definition of one run asked for, carried out in order: it becomes events, steps and timers. */
export class RunCommands {
  readonly #parts: CommandParts
  readonly #run: CommandsOf
  #asked: readonly Command[] | undefined
  #next = 0
  /** A command waits for its payload to be stored. */
  #isStoring = false

  constructor(parts: CommandParts, run: CommandsOf) {
    this.#parts = parts
    this.#run = run
  }

  get isStoring(): boolean {
    return this.#isStoring
  }

  /** True while something was asked for and is not carried out. */
  get isBusy(): boolean {
    return this.#asked !== undefined || this.#isStoring
  }

  /** Carries out what was asked for; false when that has to wait for something. */
  carryOut(): boolean {
    this.#asked ??= this.#run.host?.take() ?? []
    while (this.#next < this.#asked.length) {
      const command = this.#asked[this.#next]
      this.#next += 1
      const storing = command === undefined ? undefined : this.#obey(command)
      if (storing !== undefined) {
        this.#waitUntilStored(storing)
        return false
      }
    }
    this.drop()
    const { host, ended } = this.#run
    const next = host?.continuing
    if (next !== undefined && !ended) {
      this.#waitUntilStored(beginNextPart(this.#parts, this.#run, next))
      return false
    }
    const outcome = host?.outcome
    if (host === undefined || outcome?.kind !== 'completed' || ended) return true
    if (outcome.stored !== undefined || isSmall(outcome.result)) return true
    this.#waitUntilStored(this.#storeResult(host, outcome.result))
    return false
  }

  async #storeResult(host: WorkflowHost, result: Json): Promise<void> {
    try {
      const stored = await toStored(result, 'The result', this.#parts.store.blobs)
      host.outcome = { kind: 'completed', result, stored }
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error
      const detail = 'The result is larger than 1 MB. Keep the data as an artifact and return its name.'
      host.outcome = { kind: 'blocked', detail }
    }
  }

  /** In place of what the definition asked for: another definition took its place. */
  replace(asked: readonly Command[]): void {
    this.#asked = asked
    this.#next = 0
  }

  drop(): void {
    this.#asked = undefined
    this.#next = 0
  }

  #waitUntilStored(storing: Promise<void>): void {
    this.#isStoring = true
    const goOn = () => {
      this.#isStoring = false
      this.#parts.turns.queue(this.#run)
    }
    storing.then(goOn, (error: unknown) => {
      this.#isStoring = false
      this.#run.fail(error)
    })
  }

  #obey(command: Command): Promise<void> | undefined {
    const { steps, timers } = this.#run
    switch (command.kind) {
      case 'step':
        return this.#addStep(command)
      case 'timer':
        timers.add(command)
        return
      case 'cancel_timer':
        timers.cancel(command.command, command.runEnded ?? false)
        return
      case 'cancel_step': {
        const row = steps.rows.get(command.command)
        if (row === undefined) return
        steps.cancel(row, 'The run does not need this step any more.', command.runEnded ?? false)
        return
      }
      case 'update_result':
        return this.#answer(command)
      default:
        this.#run.asked().obey(command)
    }
  }

  #answer(command: UpdateResult): Promise<void> | undefined {
    const { update, end } = command
    if (end.kind === 'failed' || isSmall(end.result)) {
      this.#run.asked().obey(command)
      return
    }
    return toStored(end.result, `The result of update ${update}`, this.#parts.store.blobs).then(
      (stored) => this.#run.asked().obey({ ...command, stored }),
      (error: unknown) => {
        if (!(error instanceof PayloadError)) throw error
        const { code, message } = error
        this.#run.asked().obey({ ...command, end: { kind: 'failed', error: { code, message } } })
      },
    )
  }

  #addStep(command: StepCommand): Promise<void> | undefined {
    const { history, steps, facts } = this.#run
    const asked = withPriority(command, facts.priority)
    const known = history.steps.get(asked.command)
    if (known !== undefined) {
      if (known.state === 'ended') return
      // An attempt cut off by the end of the engine keeps its number: `dispatch` begins it again.
      const state = known.state === 'running' ? 'cut' : 'scheduled'
      const row = newRow(asked, { ...known, state })
      steps.rows.set(asked.command, row)
      steps.dispatch(row)
      return
    }
    if (isSmall(asked.input)) return this.#schedule(asked, asked.input)
    return toStored(asked.input, `The input of step ${asked.step}`, this.#parts.store.blobs).then(
      (stored) => this.#schedule(asked, stored),
      (error: unknown) => this.#run.block(messageOf(error)),
    )
  }

  #schedule(asked: StepCommand, input: Json): undefined {
    const { step, key, command, options } = asked
    const data = { step, key, command, input, max_attempts: options.maxAttempts, ...inlineFacts(options) }
    const { timeMs: scheduledMs } = this.#run.push({ type: 'step.scheduled', data })
    const row = newRow(asked, { attempt: 0, state: 'scheduled', retryAtMs: undefined, scheduledMs })
    this.#run.steps.rows.set(command, row)
    this.#run.steps.dispatch(row)
  }
}

/** What decides how a cluster does the step; of others it is not said. */
function inlineFacts({ mode, startToCloseMs }: StepCommand['options']) {
  return mode === 'inline' ? { mode, start_to_close_ms: startToCloseMs } : {}
}

const priorities: Readonly<Record<Priority, number>> = { critical: 1, high: 2, medium: 3, low: 4 }

/** A step that says nothing of its priority has that of its job. */
function withPriority(asked: StepCommand, priority: Priority): StepCommand {
  if (priority === 'medium' || asked.options.priority !== undefined) return asked
  return { ...asked, options: { ...asked.options, priority: priorities[priority] } }
}
