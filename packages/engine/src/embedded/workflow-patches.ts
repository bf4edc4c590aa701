import { nameFault } from './asked-options.ts'
import type { WorkflowHost } from './workflow-host.ts'

/** `context.patch`: which of its ways a definition that was changed takes in this run, decided once for each id. */
export class Patches {
  readonly #host: WorkflowHost
  readonly #decided = new Map<string, boolean>()

  constructor(host: WorkflowHost) {
    this.#host = host
  }

  /** True where the history holds the mark, or where it ends: false where it has gone on without one. */
  take(id: string): boolean {
    this.#host.enter()
    this.#host.objectTo(nameFault('patch', id))
    const known = this.#decided.get(id)
    if (known !== undefined) return known
    const isNew = this.#isRecorded(id) || !this.#host.hasLaterRecorded
    if (isNew) this.#mark(id)
    this.#decided.set(id, isNew)
    return isNew
  }

  /** Passes over the mark where the history has one here. */
  accept(id: string): void {
    this.#host.enter()
    if (this.#isRecorded(id)) this.#mark(id)
  }

  #isRecorded(id: string): boolean {
    const next = this.#host.nextRecorded
    return next?.kind === 'value' && next.name === nameOf(id)
  }

  #mark(id: string): void {
    const name = nameOf(id)
    const command = this.#host.begin('value', name)
    if (command !== 0) this.#host.ask({ kind: 'value', command, name, value: true })
  }
}

const nameOf = (id: string) => `patch:${id}`
