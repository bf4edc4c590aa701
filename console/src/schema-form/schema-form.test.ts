import { expect, test } from 'vitest'
import { problemsOf, toDraft, toInput } from './form-input.ts'
import { emptyDraft, fieldsOf } from './form-model.ts'

const schema = {
  type: 'object',
  required: ['repository', 'limits'],
  properties: {
    repository: {
      type: 'string',
      title: 'Repository',
      minLength: 1,
      maxLength: 20,
      examples: ['/home/me/x'],
    },
    types: {
      type: 'array',
      minItems: 1,
      items: { anyOf: [{ const: 'static', title: 'Static analysis' }, { const: 'security' }] },
    },
    mode: { enum: ['fast', 'deep_scan'], default: 'fast' },
    dry_run: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 2 },
    limits: { type: 'object', properties: { depth: { type: 'integer', minimum: 1, maximum: 9 } } },
    proxy: {
      type: 'object',
      required: ['host'],
      properties: { host: { type: 'string' }, port: { type: 'integer' } },
    },
    extra: { type: 'object', additionalProperties: true },
  },
}
const fields = fieldsOf(schema)

test('each kind of schema gets the widget that fits it', () => {
  expect(fields.map(({ kind }) => kind)).toEqual([
    'text',
    'choices',
    'choice',
    'boolean',
    'lines',
    'group',
    'group',
    'json',
  ])
})

test('labels come from the title or the name, options from their own', () => {
  expect(fields.map(({ label }) => label).slice(0, 4)).toEqual(['Repository', 'Types', 'Mode', 'Dry run'])
  expect(fields[1]).toMatchObject({ options: [{ label: 'Static analysis' }, { label: 'Security' }] })
  expect(fields[2]).toMatchObject({
    options: [{ value: 'fast' }, { value: 'deep_scan', label: 'Deep scan' }],
  })
})

test('the form begins with the defaults of the schema', () => {
  expect(emptyDraft(schema)).toEqual({ mode: 'fast' })
})

test('an input holds what is filled in, with its types, and nothing else', () => {
  const draft = {
    repository: '/x',
    types: ['static'],
    mode: '',
    dry_run: true,
    tags: 'a\n\n b ',
    'limits/depth': '3',
    extra: '{"a":[1]}',
  }
  expect(toInput(fields, draft)).toEqual({
    repository: '/x',
    types: ['static'],
    dry_run: true,
    tags: ['a', 'b'],
    limits: { depth: 3 },
    extra: { a: [1] },
  })
})

test('problems name the field and what would be right', () => {
  const draft = {
    repository: 'x'.repeat(21),
    mode: 'slow',
    tags: 'a\nb\nc',
    'limits/depth': '1.5',
    extra: '{',
  }
  expect(problemsOf(fields, draft)).toEqual({
    repository: 'At most 20 characters; this has 21',
    mode: 'Pick one of the list',
    tags: 'At most 2 lines',
    'limits/depth': 'A whole number is needed',
    extra: 'This is not JSON',
  })
})

test('what is needed is missed, but not inside an optional group that is empty', () => {
  expect(problemsOf(fields, {})).toEqual({ repository: 'This is needed' })
  expect(problemsOf(fields, { repository: 'x', 'proxy/port': '1' })).toEqual({
    'proxy/host': 'This is needed',
  })
})

test('a draft made from an input gives the same input again', () => {
  const input = { repository: '/x', types: ['security'], tags: ['a'], limits: { depth: 2 }, extra: { a: 1 } }
  expect(toInput(fields, toDraft(fields, input))).toEqual(input)
})

test('of a text that does not fit its pattern the words of the schema are said', () => {
  const slug = { type: 'string', pattern: '^[a-z]+$' }
  const properties = { plain: slug, told: { ...slug, patternMessage: 'must be small letters' } }
  const problems = problemsOf(fieldsOf({ type: 'object', properties }), { plain: 'A', told: 'A' })
  expect(problems).toEqual({ plain: 'This does not fit ^[a-z]+$', told: 'Must be small letters' })
})
