import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { apiDocuments } from './openapi.ts'

const folder = join(import.meta.dirname, '../docs/api')

test('docs/api says what the contract says; run `npm run openapi` after changing it', () => {
  const made = Object.fromEntries(apiDocuments())
  const kept = Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
  expect(Object.keys(kept).toSorted()).toEqual(Object.keys(made).toSorted())
  for (const [name, text] of Object.entries(made)) expect(kept[name] === text, name).toBe(true)
})
