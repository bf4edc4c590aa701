import { Checkbox, Select, SelectItem, TextArea, TextInput } from '@carbon/react'
import { useId } from 'react'
import type { FieldProblems } from './form-input.ts'
import { type Draft, type Field, keyOf } from './form-model.ts'

type Props = {
  fields: readonly Field[]
  draft: Draft
  problems: FieldProblems
  onChange: (key: string, value: Draft[string]) => void
}

/** A form made from JSON Schema. */
export function SchemaForm({ fields, draft, problems, onChange }: Props) {
  return (
    <div className="k-form">
      {fields.map((field) => (
        <FormField key={keyOf(field)} {...{ field, draft, problems, onChange }} />
      ))}
    </div>
  )
}

type FieldProps<F extends Field = Field> = Omit<Props, 'fields'> & { field: F }

function FormField(props: FieldProps) {
  const { field, draft, problems, onChange } = props
  const key = keyOf(field)
  const value = draft[key]
  const text = typeof value === 'string' ? value : ''
  const shared = { ...useLabels(field, problems[key]), value: text }
  switch (field.kind) {
    case 'group':
      return (
        <fieldset className="k-form__group">
          <legend>{field.label}</legend>
          {field.help !== '' && <p className="k-form__help">{field.help}</p>}
          <SchemaForm {...{ draft, problems, onChange }} fields={field.fields} />
        </fieldset>
      )
    case 'boolean':
      return <BooleanField {...props} />
    case 'choices':
      return <ChoicesField {...props} field={field} />
    case 'choice':
      return <ChoiceField {...props} field={field} />
    case 'number':
      return (
        <TextInput
          {...shared}
          inputMode={field.isInteger ? 'numeric' : 'decimal'}
          placeholder={placeholderOf(field)}
          onChange={(event) => onChange(key, event.target.value)}
        />
      )
    case 'lines':
    case 'json':
      return (
        <TextArea
          {...shared}
          rows={field.kind === 'json' ? 5 : 3}
          placeholder={placeholderOf(field)}
          className={field.kind === 'json' ? 'k-form__code' : ''}
          onChange={(event) => onChange(key, event.target.value)}
        />
      )
    case 'text': {
      const events = { placeholder: placeholderOf(field) }
      return field.isLong ? (
        <TextArea {...shared} {...events} rows={4} onChange={(event) => onChange(key, event.target.value)} />
      ) : (
        <TextInput {...shared} {...events} onChange={(event) => onChange(key, event.target.value)} />
      )
    }
  }
}

function useLabels(field: Field, problem: string | undefined) {
  return {
    id: useId(),
    labelText: field.isRequired ? field.label : `${field.label} (optional)`,
    helperText: field.help,
    invalid: problem !== undefined,
    invalidText: problem,
  }
}

function placeholderOf({ example }: Field): string {
  return example === undefined ? '' : `e.g. ${example}`
}

function BooleanField({ field, draft, onChange }: FieldProps) {
  const id = useId()
  const key = keyOf(field)
  return (
    <Checkbox
      id={id}
      labelText={field.label}
      helperText={field.help}
      checked={draft[key] === true}
      onChange={(_, { checked }) => onChange(key, checked)}
    />
  )
}

function ChoiceField({ field, draft, problems, onChange }: FieldProps<Extract<Field, { kind: 'choice' }>>) {
  const key = keyOf(field)
  const value = draft[key]
  return (
    <Select
      {...useLabels(field, problems[key])}
      value={typeof value === 'string' ? value : ''}
      onChange={(event) => onChange(key, event.target.value)}
    >
      <SelectItem value="" text={field.isRequired ? 'Choose…' : 'Leave it to the workflow'} />
      {field.options.map(({ value: option, label }) => (
        <SelectItem key={option} value={option} text={label} />
      ))}
    </Select>
  )
}

function ChoicesField({ field, draft, problems, onChange }: FieldProps<Extract<Field, { kind: 'choices' }>>) {
  const key = keyOf(field)
  const id = useId()
  const value = draft[key]
  const chosen: readonly string[] = Array.isArray(value) ? value : []
  const problem = problems[key]
  return (
    <fieldset className="k-form__choices" aria-describedby={`${id}-help`}>
      <legend>{field.isRequired ? field.label : `${field.label} (optional)`}</legend>
      {field.options.map((option) => (
        <Checkbox
          key={option.value}
          id={`${id}-${option.value}`}
          labelText={option.label}
          checked={chosen.includes(option.value)}
          onChange={(_, { checked }) => onChange(key, pick(field.options, chosen, option.value, checked))}
        />
      ))}
      <p id={`${id}-help`} className={problem === undefined ? 'k-form__help' : 'k-form__problem'}>
        {problem ?? field.help}
      </p>
    </fieldset>
  )
}

/** The chosen values in the order of the options, however they were clicked. */
function pick(
  options: readonly { value: string }[],
  chosen: readonly string[],
  value: string,
  isOn: boolean,
): string[] {
  return options
    .map((option) => option.value)
    .filter((other) => (other === value ? isOn : chosen.includes(other)))
}
