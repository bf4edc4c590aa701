import Branch from '@carbon/icons-react/es/Branch.js'
import { Button } from '@carbon/react'
import type { Run, Step } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { client } from '../../../api/client.ts'
import { useRights } from '../../../api/useRights.ts'
import { ConfirmDialog } from '../../../ui/Dialog.tsx'
import { toastDone, toastFailed } from '../../../ui/toasts.tsx'
import { useMayAct } from './useMayAct.ts'

type Props = { run: Run; step: Step }

/** Starts a new run that keeps what came before a step and does the rest again. */
export function ForkButton({ run, step }: Props) {
  const [isAsking, setAsking] = useState(false)
  const { mayCreate } = useRights()
  const mayAct = useMayAct(run)
  const isOfJob = mayAct && isTerminal(run.status)
  const fork = useFork(run, step, !isOfJob)
  if (!mayCreate || step.kind !== 'step') return null
  return (
    <>
      <Button kind="tertiary" size="sm" renderIcon={Branch} onClick={() => setAsking(true)}>
        Run again from here
      </Button>
      {isAsking && (
        <ConfirmDialog
          title={`Run again from ${step.name}?`}
          confirm="Start the new run"
          isBusy={fork.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => fork.mutate(undefined, { onSettled: () => setAsking(false) })}
        >
          {`A new run takes over the results of the steps before ${step.name} and does this one and all after it again. `}
          {isOfJob
            ? 'It becomes the latest run of this job.'
            : 'It becomes a job of its own; this run stays as it is.'}
        </ConfirmDialog>
      )}
    </>
  )
}

function useFork(run: Run, step: Step, isNewJob: boolean) {
  const navigate = useNavigate()
  return useMutation({
    mutationFn: () =>
      client.call('forkRun', {
        params: { id: run.id },
        body: { from_step: step.key, ...(isNewJob && { new_job: true }) },
      }),
    onSuccess: (started) => {
      toastDone(`Started again from ${step.name}`, run.name)
      return navigate({ to: '/runs/$runId', params: { runId: started.run_id } })
    },
    onError: (error) => toastFailed('No run was started', error),
  })
}
