import type { RunRecord } from '@kyros/store/store'
import type { WaitpointKey } from '../embedded/waitpoint-tokens.ts'
import type { NewExecution } from './cluster.ts'
import type { PendingRun } from './pending-run.ts'
import { runSecret } from './run-secret.ts'

/** As Temporal counts them: 1 goes first. */
const priorities: { readonly [P in RunRecord['priority']]: number } = {
  critical: 1,
  high: 2,
  medium: 3,
  low: 4,
}

/** What the cluster is told of a run that is to begin. */
export function startOf(run: PendingRun, buildId: string, key: WaitpointKey): NewExecution {
  const { facts, signals, limits, used, depth } = run
  const { runId, workflow, input, version, attempt, maxRetries, timeoutSeconds, principal, definition } =
    facts
  const priority = priorities[facts.priority]
  const live = {
    ...{ principal, priority, depth, definition, used },
    secret: runSecret(key.key, runId),
    keyId: key.id,
    ...(limits === undefined ? {} : { limits }),
  }
  const started = { attempt, version, maxRetries, carried: signals, live }
  return { runId, workflow, input, started, timeoutSeconds, buildId, priority }
}
