import { type Draft, type Field, keyOf } from './form-model.ts'

export type FieldProblems = { readonly [path: string]: string }

/** The input that a draft stands for. Empty fields are left out, so that the workflow's own defaults hold. */
export function toInput(fields: readonly Field[], draft: Draft): { [name: string]: unknown } {
  const input: { [name: string]: unknown } = {}
  for (const field of fields) {
    const value = filledIn(field, draft)
    const name = field.path.at(-1)
    if (value !== undefined && name !== undefined) input[name] = value
  }
  return input
}

/** What is wrong with each field, in words; nothing for those that are right. The server has the last word. */
export function problemsOf(fields: readonly Field[], draft: Draft): FieldProblems {
  const problems: { [path: string]: string } = {}
  for (const field of fields) {
    if (field.kind === 'group') {
      // An optional group counts once something in it is filled in.
      if (field.isRequired || filledIn(field, draft) !== undefined) {
        Object.assign(problems, problemsOf(field.fields, draft))
      }
      continue
    }
    const problem = problemOf(field, draft[keyOf(field)])
    if (problem !== undefined) problems[keyOf(field)] = problem
  }
  return problems
}

/** The draft that shows an input again, for a form that starts from an earlier job. */
export function toDraft(fields: readonly Field[], input: unknown): Draft {
  const draft: { [path: string]: Draft[string] } = {}
  for (const field of fields) {
    const value = property(input, field.path.at(-1))
    if (value === undefined) continue
    if (field.kind === 'group') Object.assign(draft, toDraft(field.fields, value))
    else draft[keyOf(field)] = draftValue(field, value)
  }
  return draft
}

function draftValue(field: Field, value: unknown): Draft[string] {
  if (field.kind === 'boolean') return value === true
  if (field.kind === 'choices' && Array.isArray(value)) return value.map(String)
  if (field.kind === 'lines' && Array.isArray(value)) return value.join('\n')
  return typeof value === 'string' && field.kind !== 'json' ? value : JSON.stringify(value, null, 2)
}

function property(input: unknown, name: string | undefined): unknown {
  if (typeof input !== 'object' || input === null || name === undefined) return undefined
  return Object.entries(input).find(([key]) => key === name)?.[1]
}

function filledIn(field: Field, draft: Draft): unknown {
  if (field.kind === 'group') {
    const group = toInput(field.fields, draft)
    return Object.keys(group).length > 0 || field.isRequired ? group : undefined
  }
  const typed = draft[keyOf(field)]
  if (typed === undefined || typed === '' || (Array.isArray(typed) && typed.length === 0)) return undefined
  if (typeof typed !== 'string') return typed
  switch (field.kind) {
    case 'number':
      return Number.isNaN(Number(typed)) ? typed : Number(typed)
    case 'lines':
      return linesOf(typed)
    case 'json':
      return parseJson(typed)
    default:
      return typed
  }
}

function problemOf(
  field: Exclude<Field, { kind: 'group' }>,
  typed: Draft[string] | undefined,
): string | undefined {
  const isEmpty = typed === undefined || typed === '' || (Array.isArray(typed) && typed.length === 0)
  if (isEmpty) return field.isRequired && field.kind !== 'boolean' ? 'This is needed' : undefined
  if (typeof typed !== 'string') return undefined
  switch (field.kind) {
    case 'text':
      return textProblem(field, typed)
    case 'number':
      return numberProblem(field, typed)
    case 'lines':
      return listProblem(field, linesOf(typed).length)
    case 'json':
      return parseJson(typed) === undefined ? 'This is not JSON' : undefined
    case 'choice':
      return field.options.some(({ value }) => value === typed) ? undefined : 'Pick one of the list'
    default:
      return undefined
  }
}

function textProblem(field: Extract<Field, { kind: 'text' }>, typed: string): string | undefined {
  const { minLength, maxLength, pattern, patternMessage } = field
  if (typed.length < minLength) return `At least ${minLength} characters`
  if (typed.length > maxLength) return `At most ${maxLength} characters; this has ${typed.length}`
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(typed)) {
    return patternMessage === undefined ? `This does not fit ${pattern}` : sentence(patternMessage)
  }
  return undefined
}

/** Schemas say it after the name of the field (`must be …`); beside the field it begins the line. */
function sentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1)
}

function numberProblem(field: Extract<Field, { kind: 'number' }>, typed: string): string | undefined {
  const number = Number(typed)
  if (Number.isNaN(number)) return 'This is not a number'
  if (field.isInteger && !Number.isInteger(number)) return 'A whole number is needed'
  if (field.minimum !== undefined && number < field.minimum) return `At least ${field.minimum}`
  if (field.maximum !== undefined && number > field.maximum) return `At most ${field.maximum}`
  return undefined
}

function listProblem(
  { minItems, maxItems }: Extract<Field, { kind: 'lines' }>,
  count: number,
): string | undefined {
  if (count < minItems) return `At least ${minItems} lines`
  return count > maxItems ? `At most ${maxItems} lines` : undefined
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
