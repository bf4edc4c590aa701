import { Button, TextInput } from '@carbon/react'
import type { Run } from '@kyros/contract/run'
import { useState } from 'react'
import { client } from '../../../api/client.ts'
import { useRights } from '../../../api/useRights.ts'
import { JsonDialog } from './JsonDialog.tsx'
import { useRunAction } from './useRunAction.ts'

/** `name`: when the run says what it listens for. */
type Props = { run: Run; name: string | undefined }

/** Sends a signal that the run waits for; every operator may. */
export function SignalButton({ run, name: known }: Props) {
  const [typed, setTyped] = useState('')
  const name = known ?? typed.trim()
  const [isOpen, setOpen] = useState(false)
  const { mayCreate } = useRights()
  const signal = useRunAction({
    runId: run.id,
    act: (body: unknown) => client.call('signalRun', { params: { id: run.id, name }, body }),
    failed: `The signal ${name} was not sent`,
    done: `The signal ${name} is sent`,
  })
  if (!mayCreate) return null
  return (
    <>
      <Button kind="tertiary" size="sm" onClick={() => setOpen(true)}>
        {known === undefined ? 'Send a signal' : `Send ${known}`}
      </Button>
      {isOpen && (
        <JsonDialog
          title={known === undefined ? 'Send a signal' : `Send the signal ${known}`}
          label="What it says"
          send="Send it"
          isBusy={signal.isPending || name === ''}
          error={signal.error}
          onSend={(value) => signal.mutate(value, { onSuccess: () => setOpen(false) })}
          onClose={() => setOpen(false)}
        >
          {known === undefined && (
            <TextInput
              id="signal-name"
              labelText="Name of the signal"
              helperText="As the workflow calls it."
              maxLength={128}
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </JsonDialog>
      )}
    </>
  )
}
