import { Button, Select, SelectItem, TextInput } from '@carbon/react'
import { ApiError } from '@kyros/client/api-error'
import type { JobSubmit, WorkflowType } from '@kyros/contract/job'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useMemo, useState } from 'react'
import { client } from '../../api/client.ts'
import { type FieldProblems, problemsOf, toDraft, toInput } from '../../schema-form/form-input.ts'
import { type Draft, emptyDraft, fieldsOf, keyOf } from '../../schema-form/form-model.ts'
import { SchemaForm } from '../../schema-form/SchemaForm.tsx'
import { ErrorState } from '../../ui/PageState.tsx'
import { Commands } from './Commands.tsx'

const priorities = ['low', 'medium', 'high', 'critical'] as const
const maxTitleChars = 255

type Props = { type: WorkflowType; earlier: { title: string; input: unknown } | undefined }

export function JobForm({ type, earlier }: Props) {
  const fields = useMemo(() => fieldsOf(type.input_schema), [type])
  const [draft, setDraft] = useState<Draft>(() =>
    earlier === undefined ? emptyDraft(type.input_schema) : toDraft(fields, earlier.input),
  )
  const [title, setTitle] = useState(earlier?.title ?? '')
  const [priority, setPriority] = useState<(typeof priorities)[number]>('medium')
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const [isTried, setTried] = useState(false)
  const submit = useSubmit()
  const job = toJob({ type, title, priority, input: toInput(fields, draft) })
  const problems = problemsOf(fields, draft)
  const shown = isTried ? problems : onlyTouched(problems, touched)
  const change = (key: string, value: Draft[string]) => {
    setDraft({ ...draft, [key]: value })
    setTouched(new Set([...touched, key]))
    submit.reset()
  }
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    setTried(true)
    if (Object.keys(problems).length === 0) submit.mutate(job)
    else focusFirstProblem(event.currentTarget)
  }
  return (
    <form className="k-job-form" onSubmit={onSubmit} noValidate>
      <div className="k-job-form__fields">
        <SchemaForm
          fields={fields}
          draft={draft}
          problems={{ ...shown, ...serverProblems(submit.error, fields.map(keyOf)) }}
          onChange={change}
        />
        <div className="k-job-form__about">
          <TextInput
            id="job-title"
            labelText="Title (optional)"
            helperText="What it is called in lists."
            placeholder={type.title}
            maxLength={maxTitleChars}
            value={title}
            onChange={(event) => setTitle(event.target.value)}
          />
          <Select
            id="job-priority"
            labelText="Priority"
            value={priority}
            onChange={(event) =>
              setPriority(priorities.find((name) => name === event.target.value) ?? 'medium')
            }
          >
            {priorities.map((name) => (
              <SelectItem key={name} value={name} text={name.charAt(0).toUpperCase() + name.slice(1)} />
            ))}
          </Select>
        </div>
        {submit.error !== null && <ErrorState error={submit.error} isCompact />}
        <Button type="submit" disabled={submit.isPending}>
          {submit.isPending ? 'Starting…' : 'Start the job'}
        </Button>
      </div>
      <Commands job={job} />
    </form>
  )
}

function useSubmit() {
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (job: JobSubmit) => client.call('submitJob', { body: job }),
    onSuccess: (job) => navigate({ to: '/runs/$runId', params: { runId: job.run_id } }),
  })
}

type Parts = {
  type: WorkflowType
  title: string
  priority: (typeof priorities)[number]
  input: { [name: string]: unknown }
}

function toJob({ type, title, priority, input }: Parts): JobSubmit {
  const named = title.trim() === '' ? {} : { title: title.trim() }
  return { ...named, workflow: type.name, ...(priority === 'medium' ? {} : { priority }), input }
}

function onlyTouched(problems: FieldProblems, touched: ReadonlySet<string>): FieldProblems {
  return Object.fromEntries(Object.entries(problems).filter(([key]) => touched.has(key)))
}

/** What the server says about single fields; its pointers begin at the body. */
function serverProblems(error: unknown, keys: readonly string[]): FieldProblems {
  if (!(error instanceof ApiError)) return {}
  const entries = error.errors.map(
    ({ path, message }) => [path.replace(/^\/?(input\/)?/, ''), message] as const,
  )
  return Object.fromEntries(entries.filter(([key]) => keys.some((known) => key.startsWith(known))))
}

function focusFirstProblem(form: HTMLFormElement) {
  // The fields know that they are invalid once they are drawn again.
  requestAnimationFrame(() => {
    const field = form.querySelector(':is(input, textarea, select):is([aria-invalid="true"], [data-invalid])')
    if (field instanceof HTMLElement) field.focus()
  })
}
