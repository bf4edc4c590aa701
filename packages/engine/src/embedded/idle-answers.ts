// Enough for any loop that means well, and over in a second.
const maxAtOnce = 100_000

/**
 * How often workflow code was answered at once since anything last happened: code that asks only such things, for ever,
 * would never let go of the process.
 */
export class IdleAnswers {
  #count = 0

  reset(): void {
    this.#count = 0
  }

  /** Counts one more; true beyond the bound. */
  add(): boolean {
    this.#count += 1
    return this.#count > maxAtOnce
  }
}

export const idleText = `It was answered at once ${maxAtOnce} times in a row (a condition that is true already, a call in a cancelled scope, …) and never waited for anything. Let each round of its loop wait for a step, a timer, a signal or a child, and let the loop end when it is cancelled.`
