import { Button, TextInput } from '@carbon/react'
import type { Run } from '@kyros/contract/run'
import type { BudgetChange } from '@kyros/contract/run-operation'
import { isTerminal } from '@kyros/contract/run-status'
import { type FormEvent, useState } from 'react'
import { client } from '../../../api/client.ts'
import { formatCount } from '../../../format/quantity.ts'
import { Dialog } from '../../../ui/Dialog.tsx'
import { ErrorState } from '../../../ui/PageState.tsx'
import { budgetChange, budgetDraft, budgetProblems } from './budget-form.ts'
import { useMayAct } from './useMayAct.ts'
import { useRunAction } from './useRunAction.ts'

/** Opens the limits of a run, for whoever may change them. */
export function BudgetButton({ run }: { run: Run }) {
  const [isOpen, setOpen] = useState(false)
  const mayAct = useMayAct(run)
  if (!mayAct || isTerminal(run.status)) return null
  return (
    <>
      <Button kind="tertiary" size="sm" onClick={() => setOpen(true)}>
        {run.budget === undefined ? 'Set a budget' : 'Change the budget'}
      </Button>
      {isOpen && <BudgetDialog run={run} onClose={() => setOpen(false)} />}
    </>
  )
}

function BudgetDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const [draft, setDraft] = useState(() => budgetDraft(run.budget))
  const save = useRunAction({
    runId: run.id,
    act: (body: BudgetChange) => client.call('setRunBudget', { params: { id: run.id }, body }),
    failed: 'The budget was not changed',
    done: 'The budget is changed',
  })
  const problems = budgetProblems(draft)
  const change = budgetChange(draft, run.budget)
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (change !== undefined) save.mutate(change, { onSuccess: onClose })
  }
  const field = (name: keyof typeof draft, label: string, help: string) => (
    <TextInput
      id={`budget-${name}`}
      labelText={label}
      helperText={help}
      inputMode="decimal"
      value={draft[name]}
      invalid={problems[name] !== undefined}
      invalidText={problems[name]}
      onChange={(event) => setDraft({ ...draft, [name]: event.target.value })}
    />
  )
  const { used_tokens = 0, used_cost_usd = 0 } = run.budget ?? {}
  return (
    <Dialog label="Budget of the run" className="k-confirm" onClose={onClose}>
      <form onSubmit={onSubmit}>
        <h2 className="k-confirm__title">Budget of the run</h2>
        <div className="k-confirm__text k-confirm__fields">
          <p>A run that reaches a limit waits until it is raised. Empty: no limit.</p>
          {field('minutes', 'Time in minutes', 'Counted while steps are at work.')}
          {field('tokens', 'Tokens', `${formatCount(used_tokens)} used so far.`)}
          {field('costUsd', 'Cost in US dollars', `${used_cost_usd} used so far.`)}
          {save.error !== null && <ErrorState error={save.error} isCompact />}
        </div>
        <div className="k-confirm__actions">
          <Button kind="secondary" onClick={onClose}>
            Not now
          </Button>
          <Button
            type="submit"
            disabled={change === undefined || Object.keys(problems).length > 0 || save.isPending}
          >
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
