import { expect, test } from 'vitest'
import { cookieNames, readCookie, setCookie } from './cookies.ts'

test('names carry the port on http and a prefix on https', () => {
  expect(cookieNames({ port: 18000, secure: false }).session).toBe('kyros_session_18000')
  expect(cookieNames({ port: 443, secure: true }).session).toBe('__Host-kyros_session')
})

test('a cookie is found by its whole name', () => {
  expect(readCookie('a=1; kyros_session_80=x=y; b=2', 'kyros_session_80')).toBe('x=y')
  expect(readCookie('kyros_session_8000=x', 'kyros_session_80')).toBeUndefined()
  expect(readCookie('a=1; a=2', 'a')).toBeUndefined()
  expect(readCookie(undefined, 'a')).toBeUndefined()
})

test('a cookie is out of reach of scripts and other sites', () => {
  expect(setCookie({ name: 'a', value: 'b', path: '/', maxAgeSeconds: 60, secure: true })).toBe(
    'a=b; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure',
  )
})
