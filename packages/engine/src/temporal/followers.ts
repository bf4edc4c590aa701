import { RunConflict } from '@kyros/store/command'
import type { RunRecord } from '@kyros/store/store'
import { textOf } from '../error-text.ts'
import { ReadPace } from './read-pace.ts'
import { type FollowerParts, RunFollower } from './run-follower.ts'

const maxTries = 10

/** Reads the histories of all runs under way, each as it grows. */
export class Followers {
  readonly #parts: FollowerParts & { onEnded: (runId: string) => void }
  readonly #following = new Map<string, Promise<void>>()
  #signal: AbortSignal | undefined

  constructor(parts: Omit<FollowerParts, 'pace'> & { onEnded: (runId: string) => void }) {
    this.#parts = { ...parts, pace: new ReadPace(parts.clock) }
  }

  get size(): number {
    return this.#following.size
  }

  has(runId: string): boolean {
    return this.#following.has(runId)
  }

  begin(signal: AbortSignal): void {
    this.#signal = signal
  }

  /** `record`: as it is where nothing of the history is in the log. */
  follow(runId: string, record?: RunRecord): void {
    const signal = this.#signal
    if (signal === undefined || signal.aborted || this.#following.has(runId)) return
    const following = new RunFollower(this.#parts, runId, record).follow(signal).then((ended) => {
      this.#following.delete(runId)
      if (ended) this.#parts.onEnded(runId)
    })
    this.#following.set(runId, following)
  }

  /** Appends what the histories of the runs under way hold by now. */
  async catchUp(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#following.keys()].map((runId) => this.catchUpRun(runId, timeoutMs)))
  }

  /** The same of one run, as far as the cluster can be asked. Whoever else reads it at the same time may be faster. */
  async catchUpRun(runId: string, timeoutMs: number): Promise<void> {
    const { log } = this.#parts
    const signal = AbortSignal.timeout(timeoutMs)
    for (let tries = 0; tries < maxTries && !signal.aborted; tries++) {
      try {
        return await new RunFollower(this.#parts, runId).catchUp(signal)
      } catch (error) {
        if (error instanceof RunConflict) continue
        log('info', `The history of run ${runId} is read later: ${textOf(error)}`)
        return
      }
    }
  }

  async stopped(): Promise<void> {
    await Promise.allSettled(this.#following.values())
  }
}
