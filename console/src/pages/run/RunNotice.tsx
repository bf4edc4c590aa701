import type { Answer } from '@kyros/contract/operation'
import type { Run } from '@kyros/contract/run'
import { canResume, isTerminal } from '@kyros/contract/run-status'
import { useQuery } from '@tanstack/react-query'
import { whyQuery } from '../../api/queries.ts'
import { LinkedText } from '../../ui/LinkedText.tsx'
import { words } from '../../ui/StatusLabel.tsx'
import { TimeText } from '../../ui/TimeText.tsx'
import { AnswerButton } from './actions/AnswerButton.tsx'
import { BudgetButton } from './actions/BudgetButton.tsx'
import { SignalButton } from './actions/SignalButton.tsx'

const maxWaits = 5

/** Why it does not move, or why it ended as it did; nothing while all is well. */
export function RunNotice({ run }: { run: Run }) {
  if (run.error !== null) {
    return (
      <div className="k-notice k-notice--error">
        <p>
          <strong>{`${words(run.error.code)}:`}</strong> {run.error.message}
        </p>
        {run.error.cause !== undefined && <p className="k-faint">{`Caused by: ${run.error.cause}`}</p>}
      </div>
    )
  }
  if (run.status === 'cancelled' && run.reason_detail !== null) {
    return <p className="k-notice">{`Cancelled: ${run.reason_detail}`}</p>
  }
  if (run.status === 'waiting' || run.status === 'pending' || isHeldUp(run)) return <Why run={run} />
  if (canResume(run)) {
    return <p className="k-notice">Paused: the steps that are running may end, no new one begins.</p>
  }
  if (run.cancel_requested && !isTerminal(run.status)) {
    return <p className="k-notice">Told to stop; the steps that are running clean up first.</p>
  }
  return null
}

/** What each wait is for, since when, and what would end it; the server knows more than the last event says. */
function Why({ run }: { run: Run }) {
  const { data: why } = useQuery(whyQuery(run.id, run.run_seq))
  const waits = why?.waits_for ?? []
  if (why === undefined && run.reason_detail === null) return null
  return (
    <div className="k-notice">
      <p>
        <strong>{run.reason === null ? 'Waiting' : `Waiting: ${words(run.reason)}`}</strong>
        {why !== undefined && why.since !== null && (
          <span className="k-faint">
            {' since '}
            <TimeText time={why.since} />
          </span>
        )}
        {run.waiting_until !== null && (
          <span className="k-faint">
            {', goes on '}
            <TimeText time={run.waiting_until} />
          </span>
        )}
      </p>
      {waits.length === 0 && run.reason_detail !== null && <p>{run.reason_detail}</p>}
      {waits.slice(0, maxWaits).map((wait) => (
        <WaitLine key={`${wait.kind} ${wait.name}`} wait={wait} isOnly={waits.length === 1} />
      ))}
      {waits.length > maxWaits && <p className="k-faint">{`and ${waits.length - maxWaits} more`}</p>}
      {why !== undefined && (
        <p>
          <LinkedText text={why.what_would_move_it} />
        </p>
      )}
      <WhatToDo run={run} waits={waits} />
    </div>
  )
}

/** What somebody can do here so that the run goes on. */
function WhatToDo({ run, waits }: { run: Run; waits: readonly Wait[] }) {
  const signals = waits.flatMap(({ kind, name }) => (kind === 'signal' ? signalNames(name) : []))
  const questions = run.steps.filter(({ kind, status }) => kind === 'waitpoint' && status === 'running')
  return (
    <div className="k-notice__actions">
      {run.reason === 'budget_exceeded' && <BudgetButton run={run} />}
      {questions.slice(0, maxWaits).map((step) => (
        <AnswerButton key={step.key} run={run} step={step} />
      ))}
      {signals.slice(0, maxWaits).map((name) => (
        <SignalButton key={name ?? ''} run={run} name={name} />
      ))}
    </div>
  )
}

/** A run that is not in memory only knows that it waits for one. */
function signalNames(name: string): (string | undefined)[] {
  return name === 'signal' ? [undefined] : name.split(', ')
}

type Wait = NonNullable<Answer<'whyRun'>>['waits_for'][number]

function WaitLine({ wait, isOnly }: { wait: Wait; isOnly: boolean }) {
  return (
    <p>
      {!isOnly && <strong>{`${words(wait.kind)} ${wait.name}: `}</strong>}
      <LinkedText text={wait.detail} />
    </p>
  )
}

/** Nothing is at work, though it counts as running: all its steps wait for a place or for their next try. */
function isHeldUp(run: Run): boolean {
  const open = run.steps.filter(({ status }) => status === 'pending' || status === 'running')
  return run.status === 'running' && open.length > 0 && open.every(({ status }) => status === 'pending')
}
