import { expect, test } from 'vitest'
import { acceptedType, asksForHtml } from './accepted-type.ts'

const chromium = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'

test.each([
  ['no header', undefined, 'application/json'],
  ['a wildcard', '*/*', 'application/json'],
  ['an event stream', 'text/event-stream', 'text/event-stream'],
  ['a higher quality', 'application/json;q=0.5, text/event-stream', 'text/event-stream'],
  ['a refusal beside a wildcard', 'application/json;q=0, */*', 'text/event-stream'],
  ['a group', 'text/*', 'text/event-stream'],
  ['nothing offered', 'image/png', undefined],
  ['rubbish', ';;q=x,,', undefined],
])('the answer to %s is the type that the caller likes best', (_name, header, type) => {
  expect(acceptedType(header, ['application/json', 'text/event-stream'])).toBe(type)
})

test('a browser that navigates asks for HTML; an API client does not', () => {
  expect(asksForHtml(chromium)).toBe(true)
  expect(asksForHtml('*/*')).toBe(false)
  expect(asksForHtml('application/json, text/html;q=0.5')).toBe(false)
  expect(asksForHtml(undefined)).toBe(false)
})
