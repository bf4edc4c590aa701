import { expect, test } from 'vitest'
import { titleOf } from './repository-input.ts'

test.each([
  ['code_analysis', { repository: '/src/kyros' }, 'Analysis of /src/kyros'],
  [
    'code_analysis',
    { repository: 'https://me:secret@example.com/a.git' },
    'Analysis of https://example.com/a.git',
  ],
  ['code_analysis', {}, 'code_analysis'],
  ['code_analysis', undefined, 'code_analysis'],
  ['deployment', { repository: '/src/kyros' }, 'deployment'],
])('%s of %j without a title is called %s', (workflow, input, title) => {
  expect(titleOf(workflow, input)).toBe(title)
})
