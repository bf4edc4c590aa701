import { api } from '@kyros/contract/api'
import { isProblemCode } from '@kyros/contract/problem'
import type { Route } from '@kyros/contract/route'
import { createCheck } from '@kyros/kernel/validate'
import { expect, test } from 'vitest'
import { openApiDocument } from './openapi-document.ts'
import { bodyExamples } from './openapi-examples.ts'

const document = openApiDocument('1.2.3')
const text = JSON.stringify(document)
const operations: [string, Route][] = Object.entries(api)

test('every operation of the contract is in the document once, under its id', () => {
  const ids = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((operation) => operation.operationId),
  )
  expect(ids.toSorted()).toEqual(Object.keys(api).toSorted())
})

test('every reference leads to a component, and no schema keeps an $id of its own', () => {
  const referred = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name)
  expect(new Set(referred)).toEqual(new Set(Object.keys(document.components.schemas)))
  expect(text).not.toContain('"$id"')
})

test('every parameter in a path is declared as required', () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    for (const operation of Object.values(methods)) {
      const declared = JSON.parse(JSON.stringify(operation.parameters ?? [])).filter(
        (parameter: { in: string; required: boolean }) => parameter.in === 'path' && parameter.required,
      )
      expect(declared.map(({ name }: { name: string }) => name)).toEqual(names)
    }
  }
})

test('public operations say that they need no credentials, all others how to give them', () => {
  expect(document.paths['/livez']?.get?.security).toEqual([])
  expect(document.paths['/api/v1/jobs']?.post?.security).toEqual([
    { bearer: [] },
    { api_key: [] },
    { session: [] },
  ])
})

test('the problems of an operation are examples under their status', () => {
  const responses = JSON.parse(JSON.stringify(document.paths['/api/v1/jobs']?.post?.responses))
  const unprocessable = responses['422'].content['application/problem+json'].examples
  expect(Object.keys(unprocessable)).toContain('job_empty')
  expect(Object.keys(unprocessable).every(isProblemCode)).toBe(true)
})

test.each(operations.filter(([id]) => bodyExamples[id]))('the examples of %s fit its schema', (id, route) => {
  const check = route.body ? createCheck(route.body, 'body') : () => undefined
  for (const { value } of Object.values(bodyExamples[id] ?? {})) expect(check(value)).toBeUndefined()
})

test('every example belongs to an operation', () => {
  expect(Object.keys(bodyExamples).filter((id) => !(id in api))).toEqual([])
})
