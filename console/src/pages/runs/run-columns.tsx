import type { RunSummary } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { Link } from '@tanstack/react-router'
import { ActorName } from '../../ui/ActorName.tsx'
import { StatusLabel } from '../../ui/StatusLabel.tsx'
import { StepProgress } from '../../ui/StepProgress.tsx'
import { DurationText, TimeText } from '../../ui/TimeText.tsx'
import type { Column } from '../../ui/VirtualTable.tsx'
import { WorkflowName } from '../../ui/WorkflowName.tsx'

export const runColumns: readonly Column<RunSummary>[] = [
  {
    key: 'title',
    header: 'Run',
    width: 'minmax(12rem, 4fr)',
    render: (run) => (
      <Link to="/runs/$runId" params={{ runId: run.id }} className="k-row-link" title={run.name}>
        {run.name}
        {run.attempt > 1 && <span className="k-faint">{` · try ${run.attempt}`}</span>}
      </Link>
    ),
  },
  {
    key: 'status',
    header: 'Status',
    width: 'minmax(11rem, 1.5fr)',
    render: (run) => (
      <StatusLabel
        status={run.status}
        reason={run.reason}
        isCancelling={run.cancel_requested && !isTerminal(run.status)}
      />
    ),
  },
  {
    key: 'workflow',
    header: 'Workflow',
    width: 'minmax(9rem, 1fr)',
    render: (run) => <WorkflowName run={run} />,
  },
  {
    key: 'steps',
    header: 'Steps',
    width: '6rem',
    render: (run) => (
      <StepProgress
        completed={run.steps_completed}
        total={run.steps_total}
        isRunning={run.status === 'running' || run.status === 'waiting'}
      />
    ),
  },
  {
    key: 'duration',
    header: 'Duration',
    width: '5.5rem',
    isNumeric: true,
    render: (run) => <DurationText of={run} />,
  },
  {
    key: 'by',
    header: 'By',
    width: 'minmax(7rem, 1fr)',
    isExtra: true,
    render: (run) => <ActorName actor={run.created_by} />,
  },
  {
    key: 'priority',
    header: 'Priority',
    width: '5rem',
    isExtra: true,
    render: (run) => run.priority,
  },
  {
    key: 'tries',
    header: 'Try',
    width: '4rem',
    isNumeric: true,
    isExtra: true,
    render: (run) => <span className="k-number">{run.attempt}</span>,
  },
  {
    key: 'id',
    header: 'Id',
    width: '7rem',
    isExtra: true,
    render: (run) => <code title={run.id}>{`…${run.id.slice(-8)}`}</code>,
  },
  {
    key: 'created',
    header: 'Created',
    width: '6rem',
    isNumeric: true,
    render: (run) => <TimeText time={run.created_at} />,
  },
]
