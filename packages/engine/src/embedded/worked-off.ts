import type { EngineParts } from './engine-parts.ts'

const fewWaiting = 1000
const lookEveryMs = 4
const judgedAfterMs = 20
const fastPerMs = 5

/**
 * Waits while steps of runs that were taken up wait for a slot and begin one after the other so fast that it will not
 * take long: these runs move on and leave memory, instead of filling it. Steps that take their time are not waited for.
 */
export async function workedOff(
  { slots, clock }: { slots: Pick<EngineParts['slots'], 'waiting' | 'granted'>; clock: EngineParts['clock'] },
  signal: AbortSignal,
): Promise<void> {
  let [granted, sinceMs] = [slots.granted, clock.nowMs()]
  while (slots.waiting > fewWaiting && !signal.aborted) {
    await clock.sleep(lookEveryMs, signal).catch(() => {})
    const passedMs = clock.nowMs() - sinceMs
    if (passedMs < 0) return
    if (passedMs < judgedAfterMs) continue
    if (slots.granted - granted < fastPerMs * passedMs) return
    granted = slots.granted
    sinceMs = clock.nowMs()
  }
}
