import type { Run } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { fewRunsQuery } from '../../api/queries.ts'
import { plural } from '../../format/quantity.ts'
import { ActorName } from '../../ui/ActorName.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { PageHead } from '../../ui/PageHead.tsx'
import { StatusLabel } from '../../ui/StatusLabel.tsx'
import { DurationText, TimeText } from '../../ui/TimeText.tsx'
import { WorkflowName } from '../../ui/WorkflowName.tsx'
import { RunActions } from './actions/RunActions.tsx'
import { BudgetFact } from './BudgetFact.tsx'

const maxRunsOfJob = 20

/** What the run is, how it stands (or stood at `atMs`), and what can be done with it now. */
export function RunHeader({ run, atMs }: { run: Run; atMs: number | undefined }) {
  return (
    <header className="k-run-head">
      <nav className="k-crumbs" aria-label="Where this is">
        <Link to="/runs">Runs</Link>
      </nav>
      <PageHead title={run.name}>{atMs === undefined && <RunActions run={run} />}</PageHead>
      <dl className="k-facts">
        <Fact name="Status">
          <StatusLabel
            status={run.status}
            reason={run.reason}
            isCancelling={run.cancel_requested && !isTerminal(run.status)}
          />
        </Fact>
        <Fact name="Duration">
          <DurationText of={atMs === undefined ? run : until(run, atMs)} />
        </Fact>
        <Fact name="Workflow">
          <WorkflowName run={run} />
        </Fact>
        {run.engine === 'temporal' && (
          <Fact name="Engine">
            <span title="This run is on a Temporal cluster, under the same id">Temporal</span>
          </Fact>
        )}
        <Fact name={run.started_at === null ? 'Created' : 'Started'}>
          <TimeText time={run.started_at ?? run.created_at} />
        </Fact>
        <Fact name="By">
          <ActorName actor={run.created_by} />
        </Fact>
        {run.budget !== undefined && (
          <Fact name="Budget">
            <BudgetFact budget={run.budget} />
          </Fact>
        )}
        <Fact name="Run">
          <span className="k-id" title={run.id}>
            <code>{`…${run.id.slice(-8)}`}</code>
            <CopyButton text={run.id} label="Copy the id of the run" align="bottom" />
          </span>
        </Fact>
      </dl>
      <Origin run={run} />
      <OtherRuns run={run} />
    </header>
  )
}

/** How long it had lasted by then: a clock that went on would tell of now. */
function until(run: Run, atMs: number) {
  return { started_at: run.started_at, completed_at: run.completed_at ?? new Date(atMs).toISOString() }
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** The run whose results this one took over, and how often it began anew; mostly nothing. */
function Origin({ run }: { run: Run }) {
  const { forked_from: from, continued = 0 } = run
  if (from === undefined && continued === 0) return null
  return (
    <p className="k-origin k-faint">
      {from !== undefined && (
        <Link
          to="/runs/$runId"
          params={{ runId: from.run_id }}
        >{`Took over what came before ${from.step}`}</Link>
      )}
      {continued > 0 && (
        <span>{`Continued as new ${plural(continued, 'time')}; shown are the steps since.`}</span>
      )}
    </p>
  )
}

/** The other tries of the same job, when there are any. */
function OtherRuns({ run }: { run: Run }) {
  const { data } = useQuery(fewRunsQuery({ job_id: run.job_id }, maxRunsOfJob))
  const runs = [...(data?.workflows ?? [])].sort((a, b) => a.attempt - b.attempt)
  if (runs.length < 2) return null
  return (
    <nav className="k-tries" aria-label="Runs of this job">
      <span className="k-faint">Runs of this job</span>
      {runs.map((other) => (
        <Link
          key={other.id}
          to="/runs/$runId"
          params={{ runId: other.id }}
          className={other.id === run.id ? 'k-chip k-chip--on' : 'k-chip'}
          aria-current={other.id === run.id ? 'page' : undefined}
        >
          <StatusLabel status={other.id === run.id ? run.status : other.status} isIconOnly />
          {`#${other.attempt}`}
        </Link>
      ))}
    </nav>
  )
}
