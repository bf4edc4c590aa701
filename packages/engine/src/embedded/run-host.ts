import type { LoadedDefinition } from '../definitions/definitions.ts'
import type { EngineParts } from './engine-parts.ts'
import type { RunLog } from './log-buffer.ts'
import type { RunFacts } from './run-facts.ts'
import { type Recorded, WorkflowHost } from './workflow-host.ts'
import { outOfScope } from './workflow-scope.ts'

type HostParts = Pick<EngineParts, 'clock' | 'waitpointTokens'>

/** A host for a run in memory, on a history of which these commands are known. What it logs goes into the run's log. */
export function createRunHost(
  { clock, waitpointTokens }: HostParts,
  { facts, log }: { readonly facts: RunFacts; readonly log: RunLog },
  loaded: LoadedDefinition,
  recorded: Map<number, Recorded>,
): WorkflowHost {
  const { runId, workflow, version, attempt, seed, maxRetries, input } = facts
  const onLog = (level: 'info' | 'warn' | 'error', message: string) => {
    if (host.replaying) return
    outOfScope(() => log.add({ timeMs: clock.nowMs(), level, step: null, attempt: null, message }))
  }
  const run = { runId, workflow, version, attempt, seed, maxRetries, input }
  const waitpointToken = (part: number, command: number) => waitpointTokens.sign({ runId, part, command })
  const host = new WorkflowHost({ run, loaded, recorded, onLog, waitpointToken })
  return host
}
