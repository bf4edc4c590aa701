import type { NewRunEvent } from '@kyros/store/command'
import type { LiveRun } from './live-run.ts'
import type { RunCommands } from './run-commands.ts'
import type { RunInbox } from './run-inbox.ts'
import type { EndEvent } from './run-outcome.ts'
import type { Command, WorkflowHost } from './workflow-host.ts'

/** What an operation may do with a run, in its turn. */
export type RunHands = {
  push(
    event: Pick<NewRunEvent, 'type' | 'data'> & { actor?: string },
    whenDurable?: () => void,
    whenLost?: (error: unknown) => void,
  ): NewRunEvent
  /** Lets the definition see an event that was just pushed. */
  apply(event: NewRunEvent): void
  /** True for a message that was taken before. */
  isTaken(inboxId: number | undefined): boolean
  /** Stops everything and ends the run. */
  end(event: Pick<EndEvent, 'type' | 'data'>): void
  /** Goes on with another definition, which has seen all that the run's own has; `asked` is what only it asks for. */
  adopt(host: WorkflowHost, asked: readonly Command[], bundle: { definition: string; version: string }): void
  /** What held the run may be over: begins what waited for that. */
  letGo(): void
}

/** What an operation may do with this run. */
export function createHands(run: LiveRun, inbox: RunInbox, commands: RunCommands): RunHands {
  return {
    push: (event, whenDurable, whenLost) => run.push(event, whenDurable, whenLost),
    apply: (event) => run.apply(event),
    isTaken: (inboxId) => inbox.isTaken(inboxId),
    end: (event) => {
      run.stopAll('The run ends.')
      run.finish(event)
    },
    adopt: (host, asked, bundle) => {
      run.facts = { ...run.facts, ...bundle }
      run.host = host
      commands.replace(asked)
    },
    letGo: () => run.letGo(),
  }
}
