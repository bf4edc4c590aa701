import type { RunEventType, RunFact } from '@kyros/contract/event'
import type { NewRunEvent } from '@kyros/store/command'
import type { Shown } from '../embedded/history.ts'
import type { WaitpointAnswer } from './adapter-waits.ts'
import { budgetData, usedData } from './control-data.ts'
import type { Fact, HistoryFact, KnownBefore, NewChild } from './history-facts.ts'
import { endOfChild, endsOfOpen, isExtended, isUpdate, sameWait, shownTimers } from './projected-ends.ts'
import { ProjectedSteps } from './projected-steps.ts'
import { firstWait, noRows } from './projected-waits.ts'
import { cancelledType, parentEnded, signals } from './start-facts.ts'

type Of<K extends Fact['kind']> = Extract<Fact, { kind: K }>
type At = { id: number; timeMs: number }

/**
 * The events of a run as a function of its Temporal history, and of nothing else: whoever reads the same history makes
 * the same events, each with the place where it was read. One projection reads one part of a run after the other.
 */
export class RunProjection {
  readonly #rows = noRows()
  readonly #steps: ProjectedSteps
  readonly #updates = new Map<number, { update: string; update_id: string }>()
  /** Fell due while the run was paused. */
  #deferred: (() => void)[] = []
  #out: NewRunEvent[] = []
  #at: At = { id: 0, timeMs: 0 }
  #toldMs = 0
  #part = 0
  #commands = 0
  #begun = false
  /** What a fork took over is in its log already. */
  #taken: ReadonlySet<number> = new Set()
  #resumes = false
  #pausedBy: string | undefined
  #cancelReason: string | undefined
  #cancelActor: string | undefined
  #definition: string
  #held: string | undefined
  #blocked: string | undefined
  #task: number | undefined
  readonly #timeoutSeconds: number
  /** What the last event of the run says that it waits for. */
  shown: Shown | undefined
  /** Set when the run ended, or its part did and goes on in another one. */
  end: 'run' | { newRunId: string } | undefined

  constructor(before: KnownBefore) {
    this.#steps = new ProjectedSteps(this.#rows.steps, (at, type, data) => {
      this.#commands = Math.max(this.#commands, data.command)
      this.#push(type, data, at)
    })
    this.#definition = before.definition
    this.#timeoutSeconds = before.timeoutSeconds
  }

  /**
   * The events that these facts are, which follow those of the last call. What one workflow task gave must be in one
   * call: the cluster writes it at once.
   */
  take(facts: readonly HistoryFact[]): { events: NewRunEvent[]; children: NewChild[] } {
    this.#out = []
    const children: NewChild[] = []
    for (const [index, { fact, taskId, ...at }] of facts.entries()) {
      if (this.#task !== undefined && taskId !== this.#task && !isUpdate(fact))
        this.#endTask(isExtended(facts.slice(index, index + 2)))
      this.#at = at
      if (fact.kind === 'task_completed') this.#beginTask(at.id, facts.slice(index + 1))
      else if (fact.kind === 'step_inline') this.#inline(fact, facts.slice(index + 1))
      else this.#one(fact)
      if (fact.kind === 'child_asked') children.push(fact)
    }
    if (this.#task !== undefined) this.#endTask()
    return { events: this.#out, children }
  }

  #one(fact: Fact): void {
    switch (fact.kind) {
      case 'started':
        this.#started(fact)
        return
      case 'task_started':
        if (!this.#begun) this.#push('run.started', {})
        this.#begun = true
        if (this.#resumes) this.#push('run.resumed', {})
        this.#resumes = false
        return
      case 'task_failed':
        this.#blocked = `The definition failed: ${fact.message}`
        this.#show()
        return
      case 'moved':
        this.#moved(fact)
        return
      case 'continued':
        this.end = { newRunId: fact.newRunId }
        // What the next part is read from begins without it.
        if (this.shown !== undefined) this.#push('run.resumed', {})
        this.shown = undefined
        return
      case 'completed':
      case 'failed':
      case 'cancelled':
      case 'timed_out':
      case 'terminated':
        this.#ended(fact)
        return
      default:
        this.#ofCommand(fact)
    }
  }

  #ofCommand(fact: Fact): void {
    switch (fact.kind) {
      case 'step_scheduled':
        this.#held = undefined
        this.#steps.asked(this.#at, fact, this.#taken)
        return
      case 'step_ended':
        this.#steps.ended(this.#at, fact)
        return
      case 'step_cancelled':
        this.#steps.cancelled(this.#at, fact.scheduledId)
        return
      case 'timer_started':
        this.#timerStarted(fact)
        return
      case 'timer_fired':
        this.#timerFired(fact.startedId)
        return
      case 'timer_cancelled':
        this.#timerCancelled(fact.startedId)
        return
      case 'patched':
        this.#commands += 1
        this.#push('value.recorded', { name: `patch:${fact.id}`, command: this.#commands, value: true })
        return
      case 'noted':
        this.#noted(fact)
        return
      case 'child_asked':
      case 'child_ended':
      case 'child_cancelled':
        this.#child(fact)
        return
      default:
        this.#message(fact)
    }
  }

  #started({ input, started }: Of<'started'>): void {
    const { part = 0, version, carried = [], loop, live, prefix, moved } = started
    this.#part = part
    if (prefix !== undefined) {
      this.#begun = true
      this.#resumes = prefix.waits
      this.#taken = new Set(prefix.commands.map(({ command }) => command))
      this.#commands = Math.max(0, ...this.#taken)
      return
    }
    this.#taken = new Set()
    if (part === 0) return
    this.#reset()
    this.#pausedBy = live?.paused?.by
    this.#cancelReason = live?.cancelReason
    this.#cancelActor = live?.cancelActor
    this.#definition = live?.definition ?? this.#definition
    if (moved === true) return
    const state = loop === undefined ? {} : { loop }
    this.#push('run.continued', { input, definition: this.#definition, version, carried, part, ...state })
  }

  /** Nothing that a part asked for outlives it. */
  #reset(): void {
    const { steps, timers, waitpoints, children } = this.#rows
    for (const rows of [steps, timers, waitpoints, children]) rows.clear()
    this.#steps.reset()
    this.#updates.clear()
    this.#rows.conditions = 0
    this.#rows.updates = 0
    this.#deferred = []
    this.#commands = 0
    this.#held = undefined
    this.#blocked = undefined
    this.#begun = true
    this.end = undefined
  }

  /** A failed attempt is told with what the task makes of it: another attempt, now or later, or none. */
  #beginTask(id: number, next: readonly HistoryFact[]): void {
    this.#task = id
    this.#blocked = undefined
    this.#steps.tellFailures(next.filter(({ taskId }) => taskId === id))
  }

  #inline(fact: Of<'step_inline'>, next: readonly HistoryFact[]): void {
    this.#held = undefined
    const commands = next.filter(({ taskId }) => taskId === this.#task)
    // Its times are a worker's: they must not contradict those of the cluster.
    const { timeMs } = this.#at
    const within = (ms: number) => Math.min(timeMs, Math.max(this.#toldMs, ms))
    const startedMs = within(fact.startedMs)
    const times = { startedMs, endedMs: Math.max(startedMs, within(fact.endedMs)) }
    this.#steps.inline(this.#at, { ...fact, ...times }, { commands, taken: this.#taken })
  }

  /** `extended`: something is under way that the history does not know yet. */
  #endTask(extended = false): void {
    this.#task = undefined
    if (this.end !== undefined) return
    if (!extended) this.#show()
    else if (this.shown !== undefined) {
      this.shown = undefined
      this.#push('run.resumed', {})
    }
  }

  #show(): void {
    const { reason } = this.#wait() ?? {}
    const next = reason === undefined ? undefined : this.#wait()
    if (sameWait(next, this.shown)) return
    this.shown = next
    if (next === undefined) this.#push('run.resumed', {})
    else this.#push('run.waiting', next)
  }

  #wait(): Shown | undefined {
    if (this.#blocked !== undefined) return { reason: 'blocked', detail: this.#blocked }
    return firstWait(this.#rows, { pausedBy: this.#pausedBy, held: this.#held })
  }

  #timerStarted({ name, command, fireAtMs }: Of<'timer_started'>): void {
    this.#commands = Math.max(this.#commands, command)
    this.#rows.timers.set(this.#at.id, { name, command, fireAtMs })
    const row = this.#rows.steps.get(command)
    if (name === 'retry' && row !== undefined) row.state = 'backoff'
    if (!shownTimers.has(name) || this.#taken.has(command)) return
    this.#push('timer.started', { timer: name, command, fire_at: new Date(fireAtMs).toISOString() })
  }

  #timerFired(startedId: number): void {
    const timer = this.#rows.timers.get(startedId)
    this.#rows.timers.delete(startedId)
    if (timer === undefined) return
    const { name, command } = timer
    if (shownTimers.has(name)) this.#due(() => this.#push('timer.fired', { timer: name, command }))
    else if (name === 'expiry') this.#due(() => this.#expired(command))
  }

  #expired(command: number): void {
    const waitpoint = this.#rows.waitpoints.get(command)
    if (waitpoint === undefined) return
    this.#rows.waitpoints.delete(command)
    this.#push('waitpoint.expired', { waitpoint: waitpoint.name, command })
  }

  #timerCancelled(startedId: number): void {
    const timer = this.#rows.timers.get(startedId)
    this.#rows.timers.delete(startedId)
    if (timer === undefined) return
    const { name, command } = timer
    if (shownTimers.has(name)) this.#push('timer.cancelled', { timer: name, command })
    else if (name === 'retry' || name === 'missing') this.#steps.cancel(this.#at, command)
  }

  /** What falls due while the run is paused is told once it goes on. */
  #due(tell: () => void): void {
    if (this.#pausedBy === undefined) tell()
    else this.#deferred.push(tell)
  }

  #goOn(): void {
    this.#pausedBy = undefined
    for (const tell of this.#deferred.splice(0)) tell()
  }

  #noted({ note }: Of<'noted'>): void {
    switch (note.kind) {
      case 'waitpoint': {
        const { command, name, title, expires_at } = note
        const expiresAtMs = expires_at === undefined ? undefined : Date.parse(expires_at)
        this.#commands = Math.max(this.#commands, command)
        this.#rows.waitpoints.set(command, { name, title, expiresAtMs })
        const more = {
          ...(title === undefined ? {} : { title }),
          ...(expires_at === undefined ? {} : { expires_at }),
        }
        this.#push('waitpoint.created', { waitpoint: name, command, ...more })
        return
      }
      case 'waitpoint_cancelled':
        if (!this.#rows.waitpoints.delete(note.command)) return
        this.#push('waitpoint.cancelled', { waitpoint: note.name, command: note.command })
        return
      case 'attributes': {
        const { command, attributes } = note
        this.#commands = Math.max(this.#commands, command)
        this.#push('attributes.set', { command, attributes })
        return
      }
      case 'conditions':
        this.#rows.conditions = note.count
        return
      case 'held':
        this.#held = note.detail
        return
      case 'inline':
        this.#steps.left(this.#at, note, this.#taken)
        return
      case 'retry':
        // Said with the attempt that failed.
        return
      case 'step_late': {
        const { step, key, command, attempt, message } = note
        this.#rows.steps.delete(command)
        const error = { code: 'step_timed_out', message, retryable: false }
        this.#push('step.failed', { step, key, command, attempt, error })
      }
    }
  }

  #child(fact: Of<'child_asked'> | Of<'child_ended'> | Of<'child_cancelled'>): void {
    const { children } = this.#rows
    if (fact.kind === 'child_asked') {
      const { runId, workflow, meta } = fact
      const { command, key, parent_close } = meta
      this.#commands = Math.max(this.#commands, command)
      children.set(this.#at.id, { workflow, runId, command })
      this.#push('child.started', { child: workflow, key, command, run_id: runId, parent_close })
      return
    }
    if (fact.kind === 'child_cancelled') {
      for (const [id, row] of children) {
        if (row.runId !== fact.runId) continue
        children.delete(id)
        this.#push('child.cancelled', { child: row.workflow, command: row.command, run_id: row.runId })
      }
      return
    }
    const row = children.get(fact.initiatedId)
    children.delete(fact.initiatedId)
    if (row === undefined) return
    const end = endOfChild(row, fact.ending)
    if (end !== undefined) this.#push(end.type, end.data)
  }

  #message(fact: Fact): void {
    switch (fact.kind) {
      case 'signaled':
        this.#signaled(fact)
        return
      case 'cancel_requested': {
        const { reason, actor } = fact
        this.#cancelReason ??= reason === '' ? parentEnded : reason
        const by = this.#cancelActor ?? actor
        this.#push('run.cancel_requested', { reason: this.#cancelReason }, undefined, by)
        this.#goOn()
        return
      }
      case 'update_accepted': {
        const { update, updateId: update_id, payload, meta } = fact
        this.#updates.set(this.#at.id, { update, update_id })
        this.#rows.updates += 1
        this.#push('update.accepted', { update, update_id, payload }, undefined, meta.actor)
        return
      }
      case 'update_ended': {
        const known = this.#updates.get(fact.acceptedId)
        if (known === undefined) return
        this.#updates.delete(fact.acceptedId)
        this.#rows.updates -= 1
        const { ending } = fact
        if (ending.kind === 'completed') this.#push('update.completed', { ...known, result: ending.result })
        else if (ending.kind === 'failed') this.#push('update.failed', { ...known, error: ending.error })
        return
      }
      default:
    }
  }

  #signaled({ signal, payload, meta }: Of<'signaled'>): void {
    const { actor, signal_id, inbox_id } = meta
    const by = { ...(inbox_id === undefined ? {} : { inbox_id }) }
    switch (signal) {
      case signals.pause:
        if (this.#pausedBy !== undefined) return
        this.#pausedBy = actor ?? 'somebody'
        this.#push('run.pause_requested', by, undefined, actor)
        return
      case signals.resume:
        if (this.#pausedBy === undefined) return
        this.#push('run.resume_requested', by, undefined, actor)
        this.#goOn()
        return
      case signals.budget:
        // Border cast: only the engine sends it.
        this.#push('run.budget_set', { ...budgetData(payload as object), ...by }, undefined, actor)
        return
      case signals.usage:
        // Border cast: only the engine sends it.
        this.#push('budget.used', { ...usedData(payload as object), ...by }, undefined, actor)
        return
      case signals.waitpoint:
        this.#answered(payload, by, actor)
        return
      case signals.cancel:
        if (typeof payload === 'string') this.#cancelReason ??= payload
        this.#cancelActor ??= actor
        return
      default: {
        const id = signal_id === undefined ? {} : { signal_id }
        this.#push('signal.received', { signal, payload, ...id, ...by }, undefined, actor)
      }
    }
  }

  #answered(answer: unknown, by: { inbox_id?: number }, actor: string | undefined): void {
    // Border cast: only the engine sends it.
    const { part, command, payload } = answer as WaitpointAnswer
    const waitpoint = this.#rows.waitpoints.get(command)
    if (part !== this.#part || waitpoint === undefined) return
    this.#rows.waitpoints.delete(command)
    this.#push(
      'waitpoint.completed',
      { waitpoint: waitpoint.name, command, payload, ...by },
      undefined,
      actor,
    )
  }

  #moved({ to }: Of<'moved'>): void {
    if (to === undefined || to.definition === this.#definition) return
    this.#push('run.upgraded', { ...to, from: this.#definition })
    this.#definition = to.definition
  }

  #ended(fact: Of<'completed'> | Of<'failed'> | Of<'cancelled'> | Of<'timed_out'> | Of<'terminated'>): void {
    this.end = 'run'
    for (const { type, data } of endsOfOpen(this.#rows)) this.#push(type, data)
    const cancelled = (reason: string) => this.#push('run.cancelled', { reason })
    switch (fact.kind) {
      case 'completed':
        this.#push('run.completed', { result: fact.result })
        return
      case 'failed': {
        const { reason, error } = fact
        if (error.code === cancelledType) cancelled(error.message)
        else this.#push('run.failed', { reason, error })
        return
      }
      case 'cancelled':
        cancelled(this.#cancelReason ?? 'cancelled')
        return
      case 'terminated':
        cancelled(fact.reason === '' ? parentEnded : fact.reason)
        return
      case 'timed_out': {
        const message = `The run took longer than its limit of ${this.#timeoutSeconds} seconds.`
        this.#push('run.timed_out', { error: { code: 'run_timed_out', message } })
      }
    }
  }

  #push<T extends RunEventType>(type: T, data: RunFact<T>, timeMs = this.#at.timeMs, actor?: string): void {
    const history = `${this.#part}/${this.#at.id}`
    this.#toldMs = Math.max(this.#toldMs, timeMs)
    const event = { type, timeMs, ...(actor === undefined ? {} : { actor }), data: { ...data, history } }
    // Border cast: type and data were paired by the signature.
    this.#out.push(event as NewRunEvent)
  }
}
