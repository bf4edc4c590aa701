import type { Job } from '@kyros/contract/job'
import { Link } from '@tanstack/react-router'
import { ActorName } from '../../ui/ActorName.tsx'
import { StatusLabel } from '../../ui/StatusLabel.tsx'
import { StepProgress } from '../../ui/StepProgress.tsx'
import { DurationText, TimeText } from '../../ui/TimeText.tsx'
import type { Column } from '../../ui/VirtualTable.tsx'

export const jobColumns: readonly Column<Job>[] = [
  {
    key: 'title',
    header: 'Title',
    width: 'minmax(12rem, 4fr)',
    render: (job) => (
      <Link to="/jobs/$jobId" params={{ jobId: job.id }} className="k-row-link" title={job.title}>
        {job.title}
      </Link>
    ),
  },
  {
    key: 'status',
    header: 'Status',
    width: 'minmax(11rem, 1.5fr)',
    render: (job) => <StatusLabel status={job.status} reason={job.reason} />,
  },
  {
    key: 'workflow',
    header: 'Workflow',
    width: 'minmax(7rem, 1fr)',
    render: (job) => <span className="k-cut">{job.workflow ?? '–'}</span>,
  },
  {
    key: 'steps',
    header: 'Steps',
    width: '6rem',
    render: (job) => (
      <StepProgress
        completed={job.steps_completed}
        total={job.steps_total}
        isRunning={job.status === 'running' || job.status === 'waiting'}
      />
    ),
  },
  {
    key: 'duration',
    header: 'Duration',
    width: '5.5rem',
    isNumeric: true,
    render: (job) => <DurationText of={job} />,
  },
  {
    key: 'by',
    header: 'By',
    width: 'minmax(7rem, 1fr)',
    isExtra: true,
    render: (job) => <ActorName actor={job.created_by} />,
  },
  {
    key: 'priority',
    header: 'Priority',
    width: '5rem',
    isExtra: true,
    render: (job) => job.priority,
  },
  {
    key: 'tries',
    header: 'Tries',
    width: '4rem',
    isNumeric: true,
    isExtra: true,
    render: (job) => <span className="k-number">{job.attempt}</span>,
  },
  {
    key: 'id',
    header: 'Id',
    width: '7rem',
    isExtra: true,
    render: (job) => <code title={job.id}>{`…${job.id.slice(-8)}`}</code>,
  },
  {
    key: 'created',
    header: 'Created',
    width: '6rem',
    isNumeric: true,
    render: (job) => <TimeText time={job.created_at} />,
  },
]
