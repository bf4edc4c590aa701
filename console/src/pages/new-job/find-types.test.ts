import { expect, test } from 'vitest'
import { findTypes } from './find-types.ts'

const types = [
  { name: 'code_analysis', title: 'Code analysis', description: 'Finds what is wrong in a repository' },
  { name: 'release_note', title: 'Release note', description: 'Asks whether it may go out' },
]
const found = (search: string) => findTypes(types, search).map(({ name }) => name)

test('a workflow is found by words of its name, title or description, in any case', () => {
  expect(found('NOTE release')).toEqual(['release_note'])
  expect(found('repository')).toEqual(['code_analysis'])
  expect(found('may repository')).toEqual([])
})

test('no words find all', () => {
  expect(found('  ')).toEqual(['code_analysis', 'release_note'])
})
