import type { NativeConnection } from '@temporalio/worker'
import type { EngineClock } from '../embedded/timers.ts'
import { nativeOptions, type TemporalConnection } from './connection.ts'
import type { TemporalTarget } from './connection-check.ts'
import { loadSdk } from './load-sdk.ts'

const betweenTriesMs = 1_000

/**
 * The connection that a worker polls with, however long the cluster is away: what is wrong meanwhile says `cluster`.
 * Rejects only when `signal` aborts. Whoever asked for it closes it.
 */
export async function connectWorker(
  target: TemporalTarget,
  { cluster, clock, signal }: { cluster: TemporalConnection; clock: EngineClock; signal: AbortSignal },
): Promise<NativeConnection> {
  const { NativeConnection } = await loadSdk()
  for (;;) {
    signal.throwIfAborted()
    const { status } = cluster.state().status === 'healthy' ? cluster.state() : await cluster.check()
    const made =
      status === 'healthy'
        ? await NativeConnection.connect(nativeOptions(target)).catch(() => undefined)
        : undefined
    if (made !== undefined) return made
    await clock.sleep(betweenTriesMs, signal)
  }
}
