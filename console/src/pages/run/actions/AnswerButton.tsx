import { Button, TextArea } from '@carbon/react'
import type { Run, Step } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { type FormEvent, useState } from 'react'
import { client } from '../../../api/client.ts'
import { Dialog } from '../../../ui/Dialog.tsx'
import { ErrorState } from '../../../ui/PageState.tsx'
import { useMayAct } from './useMayAct.ts'
import { useRunAction } from './useRunAction.ts'

type Props = { run: Run; step: Step }

/** Answers a waitpoint, for whoever may act on the run; nothing once it is answered or over. */
export function AnswerButton({ run, step }: Props) {
  const [isOpen, setOpen] = useState(false)
  const mayAct = useMayAct(run)
  if (!mayAct || step.kind !== 'waitpoint' || step.status !== 'running' || isTerminal(run.status)) return null
  return (
    <>
      <Button kind="primary" size="sm" onClick={() => setOpen(true)}>
        Answer
      </Button>
      {isOpen && <AnswerDialog run={run} step={step} onClose={() => setOpen(false)} />}
    </>
  )
}

function AnswerDialog({ run, step, onClose }: Props & { onClose: () => void }) {
  const [text, setText] = useState('')
  const answer = useRunAction({
    runId: run.id,
    act: (body: unknown) =>
      client.call('answerWaitpoint', { params: { id: run.id, command: step.command }, body }),
    failed: 'The answer was not taken',
    done: `${step.title ?? step.name}: answered`,
  })
  const parsed = parse(text)
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (parsed !== undefined) answer.mutate(parsed.value, { onSuccess: onClose })
  }
  return (
    <Dialog label={`Answer ${step.name}`} className="k-confirm" onClose={onClose}>
      <form className="k-answer" onSubmit={onSubmit}>
        <h2 className="k-confirm__title">{step.title ?? step.name}</h2>
        <TextArea
          labelText="Answer"
          helperText='JSON, as the workflow takes it, for example {"ok": true}. Empty: null.'
          rows={5}
          className="k-form__code"
          value={text}
          invalid={parsed === undefined}
          invalidText="This is not JSON"
          onChange={(event) => setText(event.target.value)}
        />
        {answer.error !== null && <ErrorState error={answer.error} isCompact />}
        <div className="k-confirm__actions">
          <Button kind="secondary" onClick={onClose}>
            Not now
          </Button>
          <Button type="submit" disabled={parsed === undefined || answer.isPending}>
            Send the answer
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function parse(text: string): { value: unknown } | undefined {
  if (text.trim() === '') return { value: null }
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
