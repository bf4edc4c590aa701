import type { ErrorData, RunFact } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { Fact, HistoryFact } from './history-facts.ts'
import { retryIn } from './projected-ends.ts'
import type { PendingRows, StepRow } from './projected-waits.ts'
import { maxCuts, type StepMeta } from './start-facts.ts'
import { cutError } from './step-ends.ts'

type Of<K extends Fact['kind']> = Extract<Fact, { kind: K }>
type At = { readonly id: number; readonly timeMs: number }
type Failed = At & { row: StepRow; error: ErrorData }
type StepEvent = 'step.scheduled' | 'step.started' | 'step.completed' | 'step.failed' | 'step.cancelled'
type Asked = { input: Json; meta: StepMeta }

/** The steps of a run as its Temporal history tells of them. */
export class ProjectedSteps {
  readonly #rows: PendingRows['steps']
  readonly #push: <T extends StepEvent>(timeMs: number, type: T, data: RunFact<T>) => void
  /** By the event that began the attempt. */
  readonly #scheduled = new Map<number, StepRow>()
  /** Attempts that were told as local activities. */
  readonly #inline = new Set<string>()
  #failures: Failed[] = []

  constructor(
    rows: PendingRows['steps'],
    push: <T extends StepEvent>(timeMs: number, type: T, data: RunFact<T>) => void,
  ) {
    this.#rows = rows
    this.#push = push
  }

  /** Nothing that a part asked for outlives it. */
  reset(): void {
    this.#scheduled.clear()
    this.#inline.clear()
    this.#failures = []
  }

  /** `taken`: commands that are in the log already. */
  asked({ id, timeMs }: At, { input, meta }: Asked, taken: ReadonlySet<number>): void {
    const { step, key, command, attempt, max_attempts, cuts, missing, mode } = meta
    const state = missing > 0 ? 'missing' : 'running'
    const row: StepRow = { step, key, command, attempt, cuts, state, scheduledId: id }
    this.#rows.set(command, row)
    this.#scheduled.set(id, row)
    if (attempt === 1 && cuts === 0 && missing === 0 && !taken.has(command)) {
      const inline = mode === undefined ? {} : { mode, start_to_close_ms: meta.start_to_close_ms }
      this.#push(timeMs, 'step.scheduled', { step, key, command, input, max_attempts, ...inline })
    }
    if (missing === 0) this.#push(timeMs, 'step.started', { step, key, command, attempt })
  }

  ended(at: At, { scheduledId, ending }: Of<'step_ended'>): void {
    const row = this.#scheduled.get(scheduledId)
    this.#scheduled.delete(scheduledId)
    // One that was cancelled has no end that anybody waits for.
    if (row === undefined || this.#rows.get(row.command) !== row) return
    const { step, key, command, attempt } = row
    switch (ending.kind) {
      case 'completed':
        this.#rows.delete(command)
        this.#push(at.timeMs, 'step.completed', { step, key, command, attempt, output: ending.result })
        return
      case 'missing':
        row.state = 'missing'
        return
      case 'cut':
        if (row.cuts < maxCuts) return
        this.#failures.push({ ...at, row, error: cutError(row.cuts + 1) })
        return
      case 'failed':
        this.#failures.push({ ...at, row, error: ending.error })
    }
  }

  /** A local activity: all that is known of it is known at its end. */
  inline(
    { id }: At,
    { startedMs, endedMs, ending, ...asked }: Of<'step_inline'>,
    { commands, taken }: { commands: readonly HistoryFact[]; taken: ReadonlySet<number> },
  ): void {
    if (ending.kind === 'elsewhere') return
    const at = { id, timeMs: endedMs }
    this.#begun({ id, timeMs: startedMs }, asked, taken)
    if (ending.kind === 'cancelled') {
      this.cancelled(at, id)
      return
    }
    this.ended(at, { kind: 'step_ended', scheduledId: id, ending })
    this.tellFailures(commands)
  }

  /** A local activity that is under way when the run ends. */
  left(at: At, asked: Asked, taken: ReadonlySet<number>): void {
    if (!this.#inline.has(nameOf(asked.meta))) this.#begun(at, asked, taken)
  }

  #begun(at: At, asked: Asked, taken: ReadonlySet<number>): void {
    const known = this.#inline.has(nameOf(asked.meta)) ? this.#rows.get(asked.meta.command) : undefined
    if (known === undefined) this.asked(at, asked, taken)
    else this.#scheduled.set(at.id, known)
    this.#inline.add(nameOf(asked.meta))
  }

  /** A failed attempt is told with what its task makes of it: another attempt, now or later, or none. */
  tellFailures(commands: readonly HistoryFact[]): void {
    for (const { row, error, timeMs } of this.#failures) {
      const { command, key, step, attempt } = row
      const retryAtMs = retryIn(commands, command)
      const retry_at = retryAtMs === undefined ? {} : { retry_at: new Date(retryAtMs).toISOString() }
      this.#push(timeMs, 'step.failed', { step, key, command, attempt, error, ...retry_at })
      if (retryAtMs === undefined) this.#rows.delete(command)
    }
    this.#failures = []
  }

  cancelled(at: At, scheduledId: number): void {
    const row = this.#scheduled.get(scheduledId)
    this.#scheduled.delete(scheduledId)
    if (row !== undefined && this.#rows.get(row.command) === row) this.cancel(at, row.command)
  }

  cancel({ timeMs }: At, command: number): void {
    const row = this.#rows.get(command)
    if (row === undefined) return
    this.#rows.delete(command)
    const { step, key, attempt } = row
    this.#push(timeMs, 'step.cancelled', { step, key, command, attempt })
  }
}

const nameOf = ({ command, attempt }: StepMeta) => `${command}/${attempt}`
