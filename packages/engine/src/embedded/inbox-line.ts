import type { RunEngine } from '@kyros/contract/run'
import type { InboxMessage } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { EngineLog } from './engine-parts.ts'
import { isOutage, type Message, nameOf, pauseMsAfter, triesOf } from './obey-message.ts'
import type { EngineClock } from './timers.ts'
import { isInTime } from './wait-limit.ts'

export type InboxLineOptions = {
  store: Store
  clock: EngineClock
  log: EngineLog
  /** Of whose runs the messages are. Default: the embedded engine's. */
  engine?: RunEngine
  /** Does what a message asks; durable when this resolves. @throws what may be different at the next try */
  obey: (one: Message) => Promise<void>
}

/** What became of the messages of one run: those that can be taken off, and the one that stands in the way of the rest. */
export type Obeyed = {
  readonly taken: readonly number[]
  readonly left: { readonly id: number; readonly tries: number; readonly pauseMs: number } | undefined
}

/** One message is given up on for now when it takes this long. */
const longestObeyMs = 15_000

/**
 * Does what the messages of one run ask, one after the other; `tries`: how often the first of them has failed. Stops at
 * one that fails: what comes behind it must not overtake it. Never rejects.
 */
export async function obeyInOrder(
  options: InboxLineOptions,
  own: readonly Message[],
  tries: number,
  signal: AbortSignal,
): Promise<Obeyed> {
  const taken: number[] = []
  let failed = tries
  for (const one of own) {
    if (signal.aborted) return { taken, left: { id: one.id, tries: failed, pauseMs: 0 } }
    try {
      await inTime(options, one)
      failed = 0
    } catch (error) {
      const isBlameless = isOutage(error) || signal.aborted
      if (!isBlameless) failed += 1
      const { runId } = one.message
      if (isBlameless || failed < triesOf(one.message)) {
        const pauseMs = pauseMsAfter(failed)
        options.log(
          'warn',
          `Run ${runId}: ${nameOf(one.message)} is tried again in ${pauseMs} ms: ${String(error)}`,
        )
        return { taken, left: { id: one.id, tries: failed, pauseMs } }
      }
      giveUp(options, one.message, failed, error)
    }
    taken.push(one.id)
  }
  return { taken, left: undefined }
}

async function inTime(options: InboxLineOptions, message: Message): Promise<void> {
  const obeying = options.obey(message)
  if (await isInTime(obeying, options.clock, longestObeyMs)) return
  throw new Error(`it was not done within ${longestObeyMs} ms`)
}

/** It was acknowledged and will not be done: said where operators look, and where those of the run do. */
function giveUp(
  { store, clock, log }: InboxLineOptions,
  message: InboxMessage,
  tries: number,
  error: unknown,
): void {
  const { runId } = message
  const what = `${nameOf(message)} is given up after ${tries} tries: ${String(error)}`
  log('error', `Run ${runId}: ${what}`)
  const line = { timeMs: clock.nowMs(), level: 'error', step: null, attempt: null, message: what } as const
  store.write({ kind: 'append_log_lines', runId, lines: [line] }).catch((lost: unknown) => {
    log('warn', `Run ${runId}: its log does not say so: ${String(lost)}`)
  })
}
