import type { RunRecord } from '@kyros/store/store'
import type { WaitpointKey } from '../embedded/waitpoint-tokens.ts'
import type { NewExecution } from './cluster.ts'
import type { ForkStart } from './fork-prefix.ts'
import type { MovedPart } from './moved-part.ts'
import type { PendingRun } from './pending-run.ts'
import { runSecret } from './run-secret.ts'
import type { LiveFacts, StartedWith } from './start-facts.ts'

/** As Temporal counts them: 1 goes first. */
const priorities: { readonly [P in RunRecord['priority']]: number } = {
  critical: 1,
  high: 2,
  medium: 3,
  low: 4,
}

/** What the cluster is told of a run that is to begin. */
export function startOf(run: PendingRun, buildId: string, key: WaitpointKey, nowMs: number): NewExecution {
  const { facts, signals, limits, used, depth, fork, moved } = run
  const { runId, workflow, input, version, attempt, maxRetries, timeoutSeconds } = facts
  const { principal, definition, traceparent } = facts
  const priority = priorities[facts.priority]
  const live = {
    ...{ principal, priority, depth, definition, used },
    secret: runSecret(key.key, runId),
    keyId: key.id,
    ...(limits === undefined ? {} : { limits }),
  }
  const own = { attempt, version, maxRetries, carried: signals, live }
  const base = { runId, workflow, buildId, priority, traceparent }
  if (moved !== undefined) {
    // Where its time is up already it begins all the same, to end with that at once.
    return {
      ...base,
      ...nextOf(run, moved, { ...own, live }),
      timeoutSeconds: secondsUntil(moved.endMs, nowMs),
    }
  }
  const start = fork === undefined ? { input, started: own } : forkOf(run, fork, own)
  return { ...base, ...start, timeoutSeconds }
}

function secondsUntil(endMs: number, nowMs: number): number {
  return Math.max(1, endMs - nowMs) / 1000
}

/** The next part of a run whose parts before were the embedded engine's. */
function nextOf(
  { pausedBy }: PendingRun,
  { part, input, carried, loop, seen, activeMs }: MovedPart,
  { live, ...own }: StartedWith & { live: LiveFacts },
): Pick<NewExecution, 'input' | 'started'> {
  const paused = pausedBy === undefined ? {} : { paused: { by: pausedBy } }
  const later = { part, carried, ...(loop === undefined ? {} : { loop }) }
  return {
    input,
    started: { ...own, ...seen, ...later, moved: true, live: { ...live, ...paused, activeMs } },
  }
}

/** A fork is told what it takes over instead; what came to itself since then comes behind it. */
function forkOf(
  { facts, signals, reason }: PendingRun,
  { prefix, seen, part }: ForkStart,
  own: StartedWith,
): Pick<NewExecution, 'input' | 'started'> {
  const outcomes = [...prefix.outcomes, ...signals.map((one) => ({ kind: 'signal' as const, ...one }))]
  const { input = facts.input, ...later } = part ?? { carried: [] }
  const waits = reason !== undefined
  return { input, started: { ...own, ...seen, ...later, prefix: { ...prefix, outcomes, waits } } }
}
