import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { redacted, withoutPassword } from './redact.ts'
import { type Setting, settingsOf } from './setting.ts'

const { byPath } = settingsOf(
  Type.Object({
    key: Type.String({ secret: true }),
    url: Type.String({ secret: 'url' }),
    name: Type.String(),
  }),
)

function setting(path: string): Setting {
  const found = byPath.get(path)
  if (found === undefined) throw new Error(path)
  return found
}

test('a secret is hidden', () => expect(redacted(setting('key'), 'hunter2')).toBe('********'))
test('a secret that is not set stays not set', () =>
  expect(redacted(setting('key'), undefined)).toBeUndefined())
test('only the password of an address is hidden', () => {
  expect(redacted(setting('url'), 'postgresql://user:p%40ss@host:5432/kyros')).toBe(
    'postgresql://user:********@host:5432/kyros',
  )
})
test('a password with an @ in it is hidden whole', () => {
  expect(withoutPassword('postgres://user:p@ss@host/db')).not.toContain('ss@')
})
test('an address without a password stays as it is', () => {
  expect(withoutPassword('redis://localhost:6379')).toBe('redis://localhost:6379')
})
test('what is no secret is shown', () => expect(redacted(setting('name'), 'x')).toBe('x'))
