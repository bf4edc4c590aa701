import { expect, test } from 'vitest'
import { api } from './api.ts'
import { isProblemCode, problemCodes } from './problem.ts'
import { commonProblems, type Route } from './route.ts'

const entries: [string, Route][] = Object.entries(api)

test('no two operations share a method and path', () => {
  const places = entries.map(([, route]) => `${route.method} ${route.path}`)
  expect(new Set(places).size).toBe(places.length)
})

test('every parameter in a path is in its schema', () => {
  for (const [id, route] of entries) {
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    const declared = Object.keys((route.params as { properties?: object } | undefined)?.properties ?? {})
    expect(declared.sort(), id).toEqual(named.sort())
  }
})

test('every problem code is answered by some operation', () => {
  const answered = new Set<string>(commonProblems)
  for (const [, route] of entries) for (const code of route.problems ?? []) answered.add(code)
  // These belong to the address, not to an operation.
  for (const code of ['route_not_found', 'method_not_allowed']) answered.add(code)
  // A step runs into this; it is the error of its attempt.
  answered.add('stream_full')
  const known: string[] = problemCodes
  expect(known.filter((code) => !answered.has(code))).toEqual([])
  expect([...answered].every(isProblemCode)).toBe(true)
})
