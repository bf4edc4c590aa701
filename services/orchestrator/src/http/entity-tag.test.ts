import { expect, test } from 'vitest'
import { entityTag, matchesEntityTag } from './entity-tag.ts'

test('a tag is the one that the older clients compute from the body', () => {
  expect(entityTag([])).toBe('"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"')
  const job = {
    id: '00000000-0000-4000-8000-000000000001',
    name: 'test',
    status: 'pending',
    created_at: '2025-01-01T00:00:00',
    updated_at: null,
  }
  expect(entityTag(job)).toBe('"bc9bf85d668ccb6f6e6f76438573f825a08c1bfbaa7cbdf44ce844fc6a45ebf3"')
  const task = {
    id: '00000000-0000-4000-8000-000000000001',
    title: 'Café',
    description: null,
    version: 1,
    created_at: '2025-01-01T00:00:00',
  }
  expect(entityTag(task)).toBe('"fd088f8e6e0e5a3b263701c22a8818a215a277828b75b0fca603d0fec46df9f6"')
})

test('a field that JSON leaves out does not change the tag', () => {
  expect(entityTag({ a: 1, b: undefined })).toBe(entityTag({ a: 1 }))
})

test.each([
  ['the tag itself', '"abc"', true],
  ['a list', '"x", "abc"', true],
  ['a weak tag', 'W/"abc"', true],
  ['a bare tag', 'abc', true],
  ['a star', '*', true],
  ['another tag', '"abcd"', false],
  ['no header', undefined, false],
  ['rubbish', ',,"', false],
])('If-None-Match with %s is compared', (_name, header, matches) => {
  expect(matchesEntityTag(header, '"abc"')).toBe(matches)
})
