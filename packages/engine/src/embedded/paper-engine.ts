import { isDeepStrictEqual } from 'node:util'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import {
  Cancelled,
  ChildFailure,
  CompensationFailure,
  ScopeTimedOut,
  StepFailure,
  WaitpointExpired,
  type WorkflowDefinition,
} from '@kyros/workflows/define'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import { quiesce } from './quiesce.ts'
import { type Command, type NumberedCommand, type Recorded, recordedCommand } from './workflow-command.ts'
import { WorkflowHost } from './workflow-host.ts'

type Open = NumberedCommand
/** A definition of whatever steps and input. */
type PaperDefinition = Omit<WorkflowDefinition, 'run'> & {
  run: (context: never, input: never) => Promise<unknown>
}

/** A loaded definition without a bundle. */
export function loadedFrom(definition: PaperDefinition): LoadedDefinition {
  const errors = {
    Cancelled,
    ChildFailure,
    CompensationFailure,
    ScopeTimedOut,
    StepFailure,
    WaitpointExpired,
  }
  // Border cast: a definition's steps and input are checked where it is written.
  return { hash: 'paper', definition: definition as unknown as WorkflowDefinition, ...errors }
}

export const paperRunId = '01890000-0000-7000-8000-000000000001'

/**
 * An engine on paper, to test the host without one: facts are what the test says happened, and everything that the
 * definition asks for becomes an event at once.
 */
export class PaperEngine {
  readonly loaded: LoadedDefinition
  host: WorkflowHost
  /** What is in the log of this part of the run. */
  log: NewRunEvent[] = []
  /** Everything that was asked for in this part, in order. */
  asked: Command[] = []
  /** How much was asked for by the time that `log` had so many events. */
  askedAfter: number[] = []
  readonly open = new Map<number, Open>()
  readonly logged: string[] = []
  readonly answered: Extract<Command, { kind: 'update_result' }>[] = []
  nowMs = 1_700_000_000_000
  #input: Json

  constructor(loaded: LoadedDefinition, input: Json = null) {
    this.loaded = loaded
    this.#input = input
    this.host = this.#createHost(new Map(), (text) => this.logged.push(text))
  }

  static async start(definition: PaperDefinition, input: Json = null): Promise<PaperEngine> {
    const paper = new PaperEngine(loadedFrom(definition), input)
    await paper.happen({ type: 'run.started', data: {} })
    return paper
  }

  get outcome() {
    return this.host.outcome
  }

  /** Steps, timers and so on that are under way, as `kind name`. */
  get underWay(): string[] {
    return [...this.open.values()].map((command) => `${command.kind} ${nameOf(command)}`)
  }

  step(name: string, output: Json): Promise<void> {
    const { command, key } = this.#find('step', name)
    return this.happen({ type: 'step.completed', data: { step: name, key, command, attempt: 1, output } })
  }

  failStep(name: string, code = 'step_error'): Promise<void> {
    const { command, key } = this.#find('step', name)
    const error = { code, message: `${name} failed` }
    return this.happen({ type: 'step.failed', data: { step: name, key, command, attempt: 1, error } })
  }

  fire(timer: string): Promise<void> {
    const { command } = this.#find('timer', timer)
    return this.happen({ type: 'timer.fired', data: { timer, command } })
  }

  signal(signal: string, payload: Json = null): Promise<void> {
    return this.happen({ type: 'signal.received', data: { signal, payload } })
  }

  cancel(): Promise<void> {
    return this.happen({ type: 'run.cancel_requested', data: { reason: 'enough' } })
  }

  answer(waitpoint: string, payload: Json): Promise<void> {
    const { command } = this.#find('waitpoint', waitpoint)
    return this.happen({ type: 'waitpoint.completed', data: { waitpoint, command, payload } })
  }

  expire(waitpoint: string): Promise<void> {
    const { command } = this.#find('waitpoint', waitpoint)
    return this.happen({ type: 'waitpoint.expired', data: { waitpoint, command } })
  }

  completeChild(child: string, result: Json): Promise<void> {
    const { command } = this.#find('child', child)
    return this.happen({ type: 'child.completed', data: { child, command, run_id: 'c', result } })
  }

  failChild(child: string, code = 'child_bad'): Promise<void> {
    const { command } = this.#find('child', child)
    const error = { code, message: `${child} failed` }
    return this.happen({ type: 'child.failed', data: { child, command, run_id: 'c', error } })
  }

  /** Accepts the update unless the definition refuses it, and says why it did. */
  async update(update: string, update_id: string, payload: Json): Promise<string | undefined> {
    const refused = this.host.refusal(update, payload)
    if (refused !== undefined) return refused.code
    await this.happen({ type: 'update.accepted', data: { update, update_id, payload } })
    return undefined
  }

  /** Records a fact, lets the definition go on, and records what it asks for. */
  async happen(fact: Pick<NewRunEvent, 'type' | 'data'>): Promise<void> {
    const command = 'command' in fact.data ? fact.data.command : 0
    this.open.delete(command)
    this.nowMs += 10
    // Border cast: type and data were written together by the caller.
    const event = { ...fact, timeMs: this.nowMs } as NewRunEvent
    this.#push(event)
    this.host.apply(event)
    await settle(this.host)
    for (const asked of this.host.take()) this.#obey(asked)
    this.askedAfter[this.log.length] = this.asked.length
    if (this.host.continuing !== undefined) await this.#continue()
  }

  /**
   * Replays the log up to each fact on a new host, which must ask for what was asked for up to there: live and replay
   * are the same, whatever the point at which a process died. What differs; empty when all is well.
   */
  async divergences(): Promise<{ at: string; live: Command[]; replayed: Command[] }[]> {
    const found = []
    for (let length = 1; length <= this.log.length; length++) {
      const asked = this.askedAfter[length]
      if (asked === undefined) continue
      const replayed = (await this.replay(length)).take()
      const live = this.asked.slice(0, asked)
      const at = `${length} ${this.log[length - 1]?.type}`
      if (!isDeepStrictEqual(live, replayed)) found.push({ at, live, replayed })
    }
    return found
  }

  /** A new host that has seen the first events of the log, on the same definition or another. */
  async replay(length = this.log.length, loaded = this.loaded): Promise<WorkflowHost> {
    const events = this.log.slice(0, length)
    const host = this.#createHost(recordedIn(events), () => {}, loaded)
    host.replaying = true
    for (const event of events) {
      host.apply(event)
      await settle(host)
    }
    host.checkAllIssued()
    host.replaying = false
    return host
  }

  async #continue(): Promise<void> {
    const { input, part, loop, carried = [] } = this.host.continuing ?? { input: null, part: 0 }
    this.log = []
    this.asked = []
    this.askedAfter = []
    this.open.clear()
    this.host = this.#createHost(new Map(), (text) => this.logged.push(text))
    const bundle = { definition: 'paper', version: '1' }
    const data = { input, part, carried, ...bundle, ...(loop === undefined ? {} : { loop }) }
    await this.happen({ type: 'run.continued', data })
  }

  #createHost(
    recorded: ReadonlyMap<number, Recorded>,
    onLine: (text: string) => void,
    loaded = this.loaded,
  ): WorkflowHost {
    const run = { runId: paperRunId, workflow: 'paper', version: '1', attempt: 1, maxRetries: 2 }
    const onLog = (level: string, message: string) => onLine(`${level}: ${message}`)
    return new WorkflowHost({ run: { ...run, input: this.#input }, loaded, recorded, onLog })
  }

  #find<K extends Open['kind']>(kind: K, name: string): Extract<Open, { kind: K }> {
    for (const command of this.open.values()) {
      if (command.kind === kind && (nameOf(command) === name || ('key' in command && command.key === name)))
        // The kind was just compared.
        return command as Extract<Open, { kind: K }>
    }
    throw new Error(`No ${kind} ${name} is under way, but ${this.underWay.join(', ') || 'nothing'}.`)
  }

  #obey(command: Command): void {
    this.asked.push(command)
    if (command.kind === 'update_result') {
      this.answered.push(command)
      return
    }
    if (command.kind.startsWith('cancel_')) {
      this.open.delete(command.command)
      return
    }
    // The cancelling kinds are dealt with above.
    const begun = command as Open
    this.#push(beginning(begun, this.nowMs))
    if (begun.kind !== 'value' && begun.kind !== 'attributes') this.open.set(begun.command, begun)
  }

  #push(event: NewRunEvent): void {
    // As it comes back from a log.
    this.log.push(structuredClone(event))
  }
}

export function recordedIn(events: readonly NewRunEvent[]): Map<number, Recorded> {
  const recorded = new Map<number, Recorded>()
  for (const event of events) {
    const found = recordedCommand(event)
    if (found !== undefined) recorded.set(found.command, { kind: found.kind, name: found.name })
  }
  return recorded
}

async function settle(host: WorkflowHost): Promise<void> {
  await quiesce()
  while (host.meetConditions()) await quiesce()
}

function nameOf(command: Open): string {
  if (command.kind === 'step') return command.step
  if (command.kind === 'child') return command.workflow
  return command.kind === 'attributes' ? 'attributes' : command.name
}

function beginning(asked: Open, timeMs: number): NewRunEvent {
  const { command } = asked
  switch (asked.kind) {
    case 'step': {
      const { step, key, input, options } = asked
      const data = { step, key, command, input, max_attempts: options.maxAttempts }
      return { type: 'step.scheduled', timeMs, data }
    }
    case 'timer': {
      const fire_at = new Date(timeMs + asked.durationMs).toISOString()
      return { type: 'timer.started', timeMs, data: { timer: asked.name, command, fire_at } }
    }
    case 'waitpoint':
      return { type: 'waitpoint.created', timeMs, data: { waitpoint: asked.name, command } }
    case 'child': {
      const { workflow: child, key, parentClose: parent_close } = asked
      return { type: 'child.started', timeMs, data: { child, key, command, run_id: 'c', parent_close } }
    }
    case 'value':
      return { type: 'value.recorded', timeMs, data: { name: asked.name, command, value: asked.value } }
    case 'attributes':
      return { type: 'attributes.set', timeMs, data: { command, attributes: asked.attributes } }
  }
}
