import { expect, test } from 'vitest'
import { replyWithEtag } from './etag.ts'
import { testApp } from './test-app.ts'

function setUp() {
  const { app } = testApp()
  app.get('/it', (request, reply) => replyWithEtag(request, reply, { a: 1 }))
  return app
}

test('the same body has the same strong tag, and its holder gets 304', async () => {
  const app = setUp()
  const first = await app.inject({ url: '/it' })
  const etag = String(first.headers.etag)
  expect(etag).toMatch(/^"[\w-]{27}"$/)
  expect(first.json()).toEqual({ a: 1 })
  expect(first.headers['content-type']).toContain('application/json')
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await app.inject({ url: '/it', headers: { 'if-none-match': tags } })
    expect([tags, again.statusCode, again.body, again.headers.etag]).toEqual([tags, 304, '', etag])
  }
  for (const tags of ['"other"', 'nonsense', etag.replaceAll('"', '')]) {
    expect((await app.inject({ url: '/it', headers: { 'if-none-match': tags } })).statusCode).toBe(200)
  }
})
