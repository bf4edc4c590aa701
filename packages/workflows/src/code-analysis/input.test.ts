import { Value } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { CodeAnalysisInput } from './input.ts'

const isAccepted = (repository: string) => Value.Check(CodeAnalysisInput, { repository })

describe('a repository address', () => {
  test.each([
    'https://user:secret@host.test/x.git',
    'HTTPS://user:secret@host.test/x',
    ' https://user:secret@host.test/x',
    'https:/user:secret@host.test/x',
    'https:\\\\user:secret@host.test/x',
    'https://token@host.test/x',
    'http://token@host.test/x',
    'https://user:a/b@host.test/x',
    'ssh://git:secret@host.test/x',
    'user:secret@host.test:x',
  ])('with credentials is refused before it is stored: %s', (repository) => {
    expect(isAccepted(repository)).toBe(false)
  })

  test.each([
    'https://github.com/fastify/fastify.git',
    'https://host.test:8443/@scope/x',
    'https://host.test/a/b@v1',
    'ssh://git@host.test:2222/a/b@v1',
    'git@host.test:path/x.git',
    '/home/me/mail@home',
    'C:\\code\\me@home',
    '.',
  ])('without a secret is taken: %s', (repository) => {
    expect(isAccepted(repository)).toBe(true)
  })
})
