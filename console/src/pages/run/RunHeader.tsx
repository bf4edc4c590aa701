import Edit from '@carbon/icons-react/es/Edit.js'
import Renew from '@carbon/icons-react/es/Renew.js'
import StopOutline from '@carbon/icons-react/es/StopOutline.js'
import { Button } from '@carbon/react'
import type { Run } from '@kyros/contract/run'
import { canCancel, canRetry, isTerminal } from '@kyros/contract/run-status'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { client } from '../../api/client.ts'
import { fewRunsQuery, runQuery } from '../../api/queries.ts'
import { useShortcut } from '../../frame/shortcuts.ts'
import { ActorName } from '../../ui/ActorName.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { ConfirmDialog } from '../../ui/Dialog.tsx'
import { PageHead } from '../../ui/PageHead.tsx'
import { StatusLabel } from '../../ui/StatusLabel.tsx'
import { DurationText, TimeText } from '../../ui/TimeText.tsx'
import { toastDone, toastFailed } from '../../ui/toasts.tsx'
import { WorkflowName } from '../../ui/WorkflowName.tsx'

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
        <Fact name={run.started_at === null ? 'Created' : 'Started'}>
          <TimeText time={run.started_at ?? run.created_at} />
        </Fact>
        <Fact name="By">
          <ActorName actor={run.created_by} />
        </Fact>
        <Fact name="Run">
          <span className="k-id" title={run.id}>
            <code>{`…${run.id.slice(-8)}`}</code>
            <CopyButton text={run.id} label="Copy the id of the run" align="bottom" />
          </span>
        </Fact>
      </dl>
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

function RunActions({ run }: { run: Run }) {
  const [isAsking, setAsking] = useState(false)
  const cancel = useCancel(run)
  const retry = useRetry(run)
  useShortcut('c', 'Cancel the run', () => canCancel(run) && setAsking(true))
  return (
    <>
      <Link
        to="/jobs/new"
        search={{ from: run.job_id }}
        className="cds--btn cds--btn--ghost cds--btn--md cds--layout--size-md"
      >
        Run again with changes
        <Edit className="cds--btn__icon" aria-hidden="true" />
      </Link>
      {canCancel(run) && (
        <Button kind="danger--tertiary" size="md" renderIcon={StopOutline} onClick={() => setAsking(true)}>
          Cancel
        </Button>
      )}
      {canRetry(run) && (
        <Button
          kind={run.status === 'completed' ? 'tertiary' : 'primary'}
          size="md"
          renderIcon={Renew}
          disabled={retry.isPending}
          onClick={() => retry.mutate()}
        >
          {run.status === 'completed' ? 'Run again' : 'Retry'}
        </Button>
      )}
      {isAsking && (
        <ConfirmDialog
          title="Cancel this run?"
          confirm="Cancel the run"
          isDangerous
          isBusy={cancel.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => cancel.mutate(undefined, { onSettled: () => setAsking(false) })}
        >
          Steps that are running are told to stop and clean up. What is done so far is kept, and the job can
          be started again.
        </ConfirmDialog>
      )}
    </>
  )
}

function useCancel(run: Run) {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: () => client.call('cancelRun', { params: { id: run.id }, body: {} }),
    // The events of the run move the page; this only bridges the moment until the first of them.
    onSuccess: () => queryClient.invalidateQueries({ queryKey: runQuery(run.id).queryKey, exact: true }),
    onError: (error) => toastFailed('The run goes on', error),
  })
}

function useRetry(run: Run) {
  const navigate = useNavigate()
  return useMutation({
    mutationFn: () => client.call('retryRun', { params: { id: run.id } }),
    onSuccess: (started) => {
      toastDone('Started again', run.name)
      return navigate({ to: '/runs/$runId', params: { runId: started.run_id } })
    },
    onError: (error) => toastFailed('It was not started again', error),
  })
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
