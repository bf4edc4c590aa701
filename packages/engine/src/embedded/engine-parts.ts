import type { Store } from '@kyros/store/store'
import type { Definitions } from '../definitions/definitions.ts'
import type { StepFunction } from './attempt.ts'
import type { ChildRuns } from './child-runs.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { RunGates } from './run-gates.ts'
import type { Slots } from './slots.ts'
import type { EngineClock, Timers } from './timers.ts'
import type { Turns } from './turns.ts'
import type { WaitpointTokens } from './waitpoint-tokens.ts'
import type { Workspaces } from './workspaces.ts'

export type EngineLog = (level: 'info' | 'warn' | 'error', message: string) => void

/** What all runs of one engine share. */
export type EngineParts = {
  readonly store: Store
  readonly clock: EngineClock
  readonly timers: Timers
  readonly slots: Slots
  readonly gates: RunGates
  readonly turns: Turns
  readonly children: ChildRuns
  readonly waitpointTokens: WaitpointTokens
  readonly writer: JournalWriter
  readonly workspaces: Workspaces
  readonly definitions: Definitions
  readonly log: EngineLog
  readonly abortGraceMs: number
  /** How often to look for accepted runs that nobody looks after. */
  readonly sweepEveryMs: number
  /** How long a run that waits stays in memory. */
  readonly evictAfterMs: number
  /** The number of the lease that every write carries; undefined on SQLite, which has one process. */
  readonly epoch: () => number | undefined
  /** False while another process may have taken the engine over without our knowing: nothing new may begin. */
  readonly isSure: () => boolean
  /** True from the moment attempts are cut off: what ends now is not recorded, and begins again at the next start. */
  readonly isClosing: () => boolean
  /** Whether a run that continues as new now does so on Temporal. */
  readonly handsOver: () => boolean
  /** Why this process is not to move the run, where it was started to leave it out. */
  readonly leftOut: (runId: string) => string | undefined
  readonly implementation: (workflow: string, step: string) => StepFunction | undefined
  /** Something that cannot happen did. */
  readonly onBug: (error: unknown) => void
}
