import Edit from '@carbon/icons-react/es/Edit.js'
import Pause from '@carbon/icons-react/es/Pause.js'
import Play from '@carbon/icons-react/es/Play.js'
import Renew from '@carbon/icons-react/es/Renew.js'
import StopOutline from '@carbon/icons-react/es/StopOutline.js'
import { Button } from '@carbon/react'
import type { Run } from '@kyros/contract/run'
import { canCancel, canPause, canResume, canRetry } from '@kyros/contract/run-status'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { client } from '../../../api/client.ts'
import { useRights } from '../../../api/useRights.ts'
import { useShortcut } from '../../../frame/shortcuts.ts'
import { ConfirmDialog } from '../../../ui/Dialog.tsx'
import { toastDone, toastFailed } from '../../../ui/toasts.tsx'
import { useMayAct } from './useMayAct.ts'
import { useRunAction } from './useRunAction.ts'

/** What can be done with the run now, by this person. */
export function RunActions({ run }: { run: Run }) {
  const { mayCreate } = useRights()
  const mayAct = useMayAct(run)
  return (
    <>
      {mayCreate && (
        <Link
          to="/jobs/new"
          search={{ from: run.job_id }}
          className="cds--btn cds--btn--ghost cds--btn--md cds--layout--size-md"
        >
          Run again with changes
          <Edit className="cds--btn__icon" aria-hidden="true" />
        </Link>
      )}
      {mayAct && <OwnActions run={run} />}
    </>
  )
}

function OwnActions({ run }: { run: Run }) {
  const retry = useRetry(run)
  return (
    <>
      <PauseOrResume run={run} />
      <Cancel run={run} />
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
    </>
  )
}

function PauseOrResume({ run }: { run: Run }) {
  const params = { id: run.id }
  const pause = useRunAction({
    runId: run.id,
    act: () => client.call('pauseRun', { params }),
    failed: 'The run was not paused',
  })
  const resume = useRunAction({
    runId: run.id,
    act: () => client.call('resumeRun', { params }),
    failed: 'The run was not resumed',
  })
  if (canResume(run)) {
    return (
      <Button
        kind="primary"
        size="md"
        renderIcon={Play}
        disabled={resume.isPending}
        onClick={() => resume.mutate()}
      >
        Resume
      </Button>
    )
  }
  if (!canPause(run)) return null
  return (
    <Button
      kind="tertiary"
      size="md"
      renderIcon={Pause}
      disabled={pause.isPending}
      onClick={() => pause.mutate()}
    >
      Pause
    </Button>
  )
}

function Cancel({ run }: { run: Run }) {
  const [isAsking, setAsking] = useState(false)
  const cancel = useRunAction({
    runId: run.id,
    act: () => client.call('cancelRun', { params: { id: run.id }, body: {} }),
    failed: 'The run goes on',
  })
  useShortcut('c', 'Cancel the run', () => canCancel(run) && setAsking(true))
  return (
    <>
      {canCancel(run) && (
        <Button kind="danger--tertiary" size="md" renderIcon={StopOutline} onClick={() => setAsking(true)}>
          Cancel
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
