import { expect, test } from 'vitest'
import { clientAddress } from './client-address.ts'
import { testApp } from './test-app.ts'

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s counts as %s', async (remoteAddress, key) => {
  const { app } = testApp()
  app.get('/', (request) => ({ key: clientAddress(request) }))
  expect((await app.inject({ url: '/', remoteAddress })).json()).toEqual({ key })
})

test('a forwarded address is believed only from a trusted proxy', async () => {
  const headers = { 'x-forwarded-for': '203.0.113.9' }
  const ask = async (trustedProxies: string[]) => {
    const { app } = testApp({ trustedProxies })
    app.get('/', (request) => ({ key: clientAddress(request) }))
    return (await app.inject({ url: '/', headers })).json().key
  }
  expect(await ask([])).toBe('127.0.0.1')
  expect(await ask(['127.0.0.0/8'])).toBe('203.0.113.9')
})
