import { textOf } from '../error-text.ts'
import { ReadPace } from './read-pace.ts'
import { type FollowerParts, RunFollower } from './run-follower.ts'

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

  follow(runId: string): void {
    const signal = this.#signal
    if (signal === undefined || signal.aborted || this.#following.has(runId)) return
    const following = new RunFollower(this.#parts, runId).follow(signal).then((ended) => {
      this.#following.delete(runId)
      if (ended) this.#parts.onEnded(runId)
    })
    this.#following.set(runId, following)
  }

  /** Appends what the histories of the runs under way hold by now. */
  async catchUp(timeoutMs: number): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs)
    const { log } = this.#parts
    await Promise.all(
      [...this.#following.keys()].map((runId) =>
        new RunFollower(this.#parts, runId).catchUp(signal).catch((error: unknown) => {
          log('info', `The history of run ${runId} is read at the next start: ${textOf(error)}`)
        }),
      ),
    )
  }

  async stopped(): Promise<void> {
    await Promise.allSettled(this.#following.values())
  }
}
