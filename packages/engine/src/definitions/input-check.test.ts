import type { Json } from '@kyros/contract/json'
import { catalogue } from '@kyros/workflows/catalogue'
import { expect, test } from 'vitest'
import { compileInputCheck } from './input-check.ts'

const entry = catalogue.find(({ name }) => name === 'code_analysis')

function faults(input: Json): unknown {
  if (entry === undefined) return 'there is no such workflow'
  try {
    compileInputCheck(entry)(input)
    return []
  } catch (error) {
    return error instanceof Error && 'errors' in error ? error.errors : error
  }
}

test.each<[Json, { path: string; message: unknown }[]]>([
  [{}, [{ path: '/input/repository', message: 'is missing' }]],
  [{ repository: '' }, [{ path: '/input/repository', message: 'must not be empty' }]],
  [{ repository: '.', depth: 1 }, [{ path: '/input/depth', message: 'is not a field that is known here' }]],
  [
    { repository: '.', types: ['style'] },
    [{ path: '/input/types/0', message: 'must be one of: static, security, performance' }],
  ],
  [
    { repository: 'https://me:secret@host.test/x' },
    [
      {
        path: '/input/repository',
        message: expect.stringMatching(/^must not contain a user name or password/),
      },
    ],
  ],
  [{ repository: '.' }, []],
])('the faults of %j are told once and in plain words', (input, expected) => {
  expect(faults(input)).toEqual(expected)
})
