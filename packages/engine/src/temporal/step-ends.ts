import type { ErrorData } from '@kyros/contract/event'

/** The failure of an attempt whose worker died again and again. */
export function cutError(times: number): ErrorData {
  const message = `The worker ended ${times} times while this step ran. See whether the step ends it: by process.exit, by taking all memory, or by a loop that never waits.`
  return { code: 'step_cut_off', message, retryable: true }
}
