import type { Attributes, ParentClose } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { StepContract, StepInput, StepOptions, StepOutput } from './step-options.ts'

/** What is known of the run that executes. All of it is the same again when the run is replayed. */
export type RunInfo = {
  readonly runId: string
  readonly workflow: string
  readonly version: string
  /** 1 for the first run of a job, one more for each retry of the whole job. */
  readonly attempt: number
  /** How often the run has continued as new: 0 until the first time. */
  readonly part: number
  /**
   * Events that this part of the run has in a history, by the way of counting of the engine that counts most: about 6
   * for each step. Above 10,000 `continueSuggested` is true; above 50,000 the run is blocked.
   */
  readonly historyEvents: number
  /** Bytes of payloads in this part, estimated. Above 10 MB `continueSuggested` is true; above 50 MB the run is blocked. */
  readonly historyBytes: number
  /** True when the run should call `continueAsNew` soon, so that its replay stays fast. `loop` looks at it by itself. */
  readonly continueSuggested: boolean
}

/** A question that somebody outside answers, once: a person or another system. */
export type Waitpoint<T> = {
  /** Whoever has it may answer: send it only to who is asked. */
  readonly token: string
  /** Where the answer is posted, below the address of the server: `/api/v1/waitpoints/<token>`; the body is the payload. */
  readonly path: string
  /** The answer's payload. @throws WaitpointExpired when `timeoutMs` passed first, Cancelled */
  readonly completed: Promise<T>
}

export type WaitpointOptions = {
  /** How long an answer is waited for. Default: as long as the run lives. */
  timeoutMs?: number
  /** What is asked, for people. */
  title?: string
}

export type ChildOptions = {
  /** Unique within the run; default: the workflow's name, with `#n` from its second use on. */
  key?: string
  /**
   * What becomes of a child that still runs when this run ends or does not want it any more. `request_cancel`
   * (default): it is asked to clean up and end. `cancel`: it is ended at once, without clean-up. `abandon`: it goes on.
   */
  parentClose?: ParentClose
  /** How long the child may take. Default: one day. */
  timeoutSeconds?: number
}

export type ScopeOptions = {
  /** After this time everything that was begun in the scope is cancelled. */
  timeoutMs?: number
}

/** A cancellation scope seen from inside. */
export type CancellationScope = {
  /** Cancels what was begun in the scope and still runs: it throws `Cancelled`, and so does what is begun later. */
  cancel(reason?: string): void
  readonly cancelled: boolean
}

export type Saga = {
  /** Remembers how to undo what was just done. Compensations run in reverse order of this call. */
  compensate(undo: () => Promise<unknown>): void
}

/** What the body of `loop` says at the end of each round. */
export type Round<State, Result> = { readonly next: State } | { readonly done: Result }

/** Steps by name, as functions. */
export type StepCalls<S extends StepContract> = {
  readonly [K in keyof S]: (input: StepInput<S, K>, options?: StepOptions) => Promise<StepOutput<S, K>>
}

/**
 * All that workflow code may touch. Every method gives the same answers when the run is replayed. Methods may be taken
 * out of the context: `run: async ({ step, sleep }, input) => …`. Payloads are JSON, at most 1 MB each.
 */
export type WorkflowContext<S extends StepContract = StepContract, A extends Attributes = Attributes> = {
  readonly info: RunInfo

  /**
   * One function per step. Whatever depends on its result (the next step's side effect, the end of the run) happens
   * only after the result is durable. @throws StepFailure after the last attempt, Cancelled
   *
   *     const report = await step.Report({ commit }, { retry: { maxAttempts: 5 }, priority: 1 })
   */
  readonly step: StepCalls<S>

  /**
   * Waits for so many milliseconds, or until a moment (a Date, or a time like `2026-01-31T08:00:00Z`): at most 100
   * years. A run that sleeps costs a few hundred bytes. @throws Cancelled
   *
   *     await sleep(24 * 3_600_000)
   */
  sleep(until: number | Date | string): Promise<void>

  /**
   * Waits until `predicate` is true; it is asked again after everything that happens to the run and must only look.
   * False when `timeoutMs` passed first. @throws Cancelled
   *
   *     const approved = await condition(() => votes >= 2, 3_600_000)
   */
  condition(predicate: () => boolean, timeoutMs?: number): Promise<boolean>

  /**
   * Sets what happens when the signal arrives. Signals that came before are handled now, in the order they came, and
   * those that nobody handled are carried over `continueAsNew`. A handler may be async and use steps.
   *
   *     onSignal('add', (item) => void items.push(item))
   */
  onSignal(name: string, handler: (payload: Json) => void | Promise<void>): void

  /**
   * Sets what a query is answered with. It must answer at once and only look: a handler that asks for a step, waits or
   * throws gives the asker an error (`query_failed`) and leaves the run as it was.
   *
   *     onQuery('progress', () => ({ done, total }))
   */
  onQuery(name: string, handler: (payload: Json) => unknown): void

  /**
   * Sets what an update does: a message that is answered. `validate` is asked first, at once; when it throws, the update
   * is rejected with that message and leaves no trace. Then the update is recorded, `handler` runs (it may use steps)
   * and its result is recorded and given to the sender. A WorkflowFailure fails the update and not the run. At most 10
   * are under way in one run.
   *
   *     onUpdate('setLimit', async (limit) => step.Apply(limit), (limit) => assertPositive(limit))
   */
  onUpdate(name: string, handler: (payload: Json) => unknown, validate?: (payload: Json) => void): void

  /**
   * Opens a question to the outside. The token is known at once, so that a step can send it; the answer is waited for
   * where `completed` is awaited.
   *
   *     const approval = waitpoint<{ ok: boolean }>('approve', { title: 'Ship it?', timeoutMs: 86_400_000 })
   *     await step.SendMail({ link: approval.path })
   *     const { ok } = await approval.completed
   */
  waitpoint<T = Json>(name: string, options?: WaitpointOptions): Waitpoint<T>

  /**
   * Runs another workflow as a run and a job of its own, and waits for its result. Once it is recorded here it comes to
   * be, also after a crash; a workflow that is not there fails it. @throws ChildFailure, Cancelled
   *
   *     const invoice = await child<Invoice>('invoice', { order }, { key: `invoice-${order}` })
   */
  child<O = Json>(workflow: string, input: Json, options?: ChildOptions): Promise<O>

  /**
   * Runs `body` so that what it begins can be cancelled apart from the rest, also by a time limit. Scopes nest; a
   * `shield` inside one is not reached. @throws ScopeTimedOut when the time was over, Cancelled
   *
   *     const answer = await scope({ timeoutMs: 60_000 }, () => step.AskModel(question))
   */
  scope<T>(options: ScopeOptions, body: (scope: CancellationScope) => Promise<T>): Promise<T>

  /** Runs `body` to its end even when the run is cancelled: for clean-up and compensation. */
  shield<T>(body: () => Promise<T>): Promise<T>

  /**
   * Runs `body`; when it fails, or the run is cancelled, the compensations that it registered run in reverse order
   * inside a shield, and the failure goes on. A bug (any error that is not a failure of Kyros) compensates nothing: the
   * run is blocked and goes on when its definition is put right. @throws CompensationFailure
   *
   *     await saga(async ({ compensate }) => {
   *       const room = await step.BookRoom(dates)
   *       compensate(() => step.CancelRoom(room))
   *       await step.BookFlight(dates)
   *     })
   */
  saga<T>(body: (saga: Saga) => Promise<T>): Promise<T>

  /**
   * Marks a change of a definition whose runs are moved to it with `kyros runs upgrade`: true where a run gets here for
   * the first time (which is recorded), false where its history has gone on from here without it.
   *
   *     if (patch('check-stock-first')) await step.CheckStock(order)
   */
  patch(id: string): boolean

  /** For when no run without the patch is left: accepts the marks of `patch(id)` in histories, and sets none. */
  deprecatePatch(id: string): void

  /**
   * Ends this part of the run and goes on from the beginning with `input`, under the same run id and with a history that
   * begins again. What still runs is cancelled; signals nobody handled are carried over. Nothing after it is executed:
   * `return continueAsNew(input)`. `upgrade`: the next part runs the newest definition; default: the same.
   */
  continueAsNew(input: Json, options?: { upgrade?: boolean }): Promise<never>

  /**
   * Repeats `body` with a state that each round gives to the next, for as long as you like: between two rounds it
   * continues as new by itself when `info.continueSuggested`, and the next part begins with the state. Code before the
   * loop runs again in each part; one loop for a run.
   *
   *     return loop({ page: 1 }, async ({ page }) => {
   *       const { isLast } = await step.Import({ page })
   *       return isLast ? { done: page } : { next: { page: page + 1 } }
   *     })
   */
  loop<State, Result>(initial: State, body: (state: State) => Promise<Round<State, Result>>): Promise<Result>

  /**
   * What the run can be found by: text, numbers and booleans by name. Later values replace earlier ones. At most 32
   * names of 64 characters, text of 256.
   *
   *     attributes({ customer: input.customer, urgent: true })
   */
  attributes(values: Partial<A>): void

  /** Milliseconds since 1970, recorded: the time of the event that woke the code. */
  now(): number
  /** At least 0 and below 1. */
  random(): number
  uuid(): string
  /** A line in the run's log, once: not again when the run is replayed. */
  log(level: 'info' | 'warn' | 'error', message: string): void
}
