import { Button } from '@carbon/react'
import type { Run, Step } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { useState } from 'react'
import { client } from '../../../api/client.ts'
import { JsonDialog } from './JsonDialog.tsx'
import { useMayAct } from './useMayAct.ts'
import { useRunAction } from './useRunAction.ts'

type Props = { run: Run; step: Step }

/** Answers a waitpoint, for whoever may act on the run; nothing once it is answered or over. */
export function AnswerButton({ run, step }: Props) {
  const [isOpen, setOpen] = useState(false)
  const mayAct = useMayAct(run)
  const title = step.title ?? step.name
  const answer = useRunAction({
    runId: run.id,
    act: (body: unknown) =>
      client.call('answerWaitpoint', { params: { id: run.id, command: step.command }, body }),
    failed: 'The answer was not taken',
    done: `${title}: answered`,
  })
  if (!mayAct || step.kind !== 'waitpoint' || step.status !== 'running' || isTerminal(run.status)) return null
  return (
    <>
      <Button kind="tertiary" size="sm" onClick={() => setOpen(true)}>
        Answer
      </Button>
      {isOpen && (
        <JsonDialog
          title={title}
          label="Answer"
          send="Send the answer"
          isBusy={answer.isPending}
          error={answer.error}
          onSend={(value) => answer.mutate(value, { onSuccess: () => setOpen(false) })}
          onClose={() => setOpen(false)}
        />
      )}
    </>
  )
}
