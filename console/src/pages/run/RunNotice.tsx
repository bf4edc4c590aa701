import type { Run } from '@kyros/contract/run'
import { canResume, isTerminal } from '@kyros/contract/run-status'
import { useQuery } from '@tanstack/react-query'
import { whyQuery } from '../../api/queries.ts'
import { words } from '../../ui/StatusLabel.tsx'
import { TimeText } from '../../ui/TimeText.tsx'
import { BudgetButton } from './actions/BudgetButton.tsx'

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
  if (run.status === 'waiting' || run.status === 'pending') return <Why run={run} />
  if (canResume(run)) {
    return <p className="k-notice">Paused: the steps that are running may end, no new one begins.</p>
  }
  if (run.cancel_requested && !isTerminal(run.status)) {
    return <p className="k-notice">Told to stop; the steps that are running clean up first.</p>
  }
  return null
}

function Why({ run }: { run: Run }) {
  const { data: why } = useQuery(whyQuery(run.id))
  const detail = run.reason_detail ?? why?.waits_for.map((wait) => wait.detail).join('; ')
  if (why === undefined && detail === undefined) return null
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
      {detail !== undefined && detail !== '' && <p>{detail}</p>}
      {why !== undefined && <p>{why.what_would_move_it}</p>}
      {run.reason === 'budget_exceeded' && <BudgetButton run={run} />}
    </div>
  )
}
