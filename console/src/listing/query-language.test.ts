import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filterKeys, parseListQuery, sinceTime, withTerm } from './query-language.ts'

const parse = (input: string) => parseListQuery(input, filterKeys)

test('terms and words are told apart', () => {
  expect(parse('status:failed workflow:code_analysis since:2h night build')).toEqual({
    terms: { status: 'failed', workflow: 'code_analysis', since: '2h' },
    text: 'night build',
    problems: [],
  })
})

test('quotes keep a value with spaces together, also while the second quote is missing', () => {
  expect(parse('by:"Ada Lovelace" x').terms.by).toBe('Ada Lovelace')
  expect(parse('by:"Ada Love').terms.by).toBe('Ada Love')
})

test('an address is searched for, not taken for a filter', () => {
  expect(parse('https://example.com/a.git')).toMatchObject({
    text: 'https://example.com/a.git',
    problems: [],
  })
})

test('what cannot be understood is said, and filters nothing', () => {
  const { terms, problems } = parse('status:broken since:soon colour:red workflow:')
  expect(terms).toEqual({})
  expect(problems).toHaveLength(4)
  expect(problems[0]).toContain('timed_out')
})

test('a list accepts only its own filters', () => {
  expect(parseListQuery('by:me', ['status']).problems).toHaveLength(1)
})

test('setting a term replaces it and leaves the rest as typed', () => {
  expect(withTerm('status:failed "night build"', 'status', 'running')).toBe('status:running "night build"')
  expect(withTerm('status:failed words', 'status', undefined)).toBe('words')
  expect(withTerm('', 'by', 'Ada Lovelace')).toBe('by:"Ada Lovelace"')
})

test('since is a distance or a date, to the minute', () => {
  const nowMs = Date.parse('2026-06-01T12:00:30.500Z')
  expect(sinceTime('2h', nowMs)).toBe('2026-06-01T10:00:00.000Z')
  expect(sinceTime('2026-01-31', nowMs)).toBe('2026-01-31T00:00:00.000Z')
  expect(sinceTime('2x', nowMs)).toBeUndefined()
})

test('any text is parsed, and a term that was set is found again', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...filterKeys), (input, key) => {
      const value = { status: 'failed', attribute: 'a=b' }[String(key)] ?? '2d'
      // An open quote swallows what follows it; a term is therefore put in front.
      expect(parse(withTerm(input, key, value)).terms[key]).toBe(value)
    }),
  )
})

test('an attribute needs its value', () => {
  expect(parseListQuery('attribute:customer=acme', ['attribute']).terms).toEqual({
    attribute: 'customer=acme',
  })
  expect(parseListQuery('attribute:customer', ['attribute']).problems).toHaveLength(1)
})
