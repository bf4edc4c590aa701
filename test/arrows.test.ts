import { describe, expect, test } from 'vitest'
import {
  checkBundles,
  checkEnvironment,
  checkImports,
  checkManifests,
  checkPurity,
  checkTable,
  parseLayers,
} from './arrow-rules.ts'
import { type Repository, readRepository, textOf, withFile } from './repository.ts'

const repository = readRepository()

/** What a checker says of the repository with these files that it does not say without them. */
function added(check: (repository: Repository) => string[], files: Record<string, string>): string[] {
  const before = new Set(check(repository))
  const planted = Object.entries(files).reduce((all, [path, text]) => withFile(all, path, text), repository)
  return check(planted).filter((problem) => !before.has(problem))
}

describe('the repository', () => {
  test('has a layer table with every workspace, and its arrows point down', () => {
    expect(parseLayers(repository).length).toBeGreaterThanOrEqual(15)
    expect(checkTable(repository)).toEqual([])
  })

  test('depends, in every package.json, only on what the table allows', () => {
    expect(checkManifests(repository)).toEqual([])
  })

  test('imports only what the table allows, and nothing climbs out of its workspace', () => {
    expect(checkImports(repository)).toEqual([])
  })

  test('keeps Node out of contract and workflows', () => {
    expect(checkPurity(repository)).toEqual([])
  })

  test('keeps libraries out of the bundles of definitions', () => {
    expect(checkBundles(repository)).toEqual([])
  })

  test('reads process.env in cli alone', () => {
    expect(checkEnvironment(repository)).toEqual([])
  })
})

describe('a planted violation is caught:', () => {
  test('an arrow of the table that points up', () => {
    const row = /(\| packages\/store \|.*\| )contract( \|)/
    const table = textOf(repository, 'ARCHITECTURE.md').replace(row, '$1contract, engine$2')
    expect(added(checkTable, { 'ARCHITECTURE.md': table })).toEqual([
      'ARCHITECTURE.md: the arrow packages/store → packages/engine does not point down',
    ])
  })

  test('a workspace that the table does not know', () => {
    expect(added(checkTable, { 'packages/extra/package.json': '{"name": "@kyros/extra"}' })).toEqual([
      'ARCHITECTURE.md: packages/extra is not in the layer table',
    ])
  })

  test('a dependency in package.json', () => {
    const manifest = JSON.stringify({ name: '@kyros/store', dependencies: { '@kyros/engine': '0.1.0' } })
    expect(added(checkManifests, { 'packages/store/package.json': manifest })).toEqual([
      'packages/store/package.json: packages/store may not depend on packages/engine',
    ])
  })

  test.each([
    ['static', "import { x } from '@kyros/engine/engine'"],
    ['re-exported', "export { x } from '@kyros/engine/engine'"],
    ['dynamic', "const x = await import('@kyros/engine/engine')"],
    ['type', "import type { X } from '@kyros/engine/engine'"],
    ['inline type', "type X = import('@kyros/engine/engine').X"],
  ])('an import upwards (%s)', (_kind, text) => {
    expect(added(checkImports, { 'packages/store/src/planted.ts': text })).toEqual([
      expect.stringContaining('packages/store may not import packages/engine'),
    ])
  })

  test('a service that imports a service', () => {
    const text = "import { x } from '@kyros/worker/service'"
    expect(added(checkImports, { 'services/orchestrator/src/planted.ts': text })).toEqual([
      expect.stringContaining('services/orchestrator may not import services/worker'),
    ])
  })

  test('an import that is allowed but not declared', () => {
    const files = {
      'packages/kernel/package.json': '{"name": "@kyros/kernel"}',
      'packages/kernel/src/planted.ts': "import '@kyros/contract/id'",
    }
    expect(added(checkImports, files)).toContain(
      'packages/kernel/src/planted.ts:1: @kyros/contract is not in the dependencies of packages/kernel',
    )
  })

  test('a relative path into another workspace', () => {
    const text = "import { x } from '../../engine/src/engine.ts'"
    expect(added(checkImports, { 'packages/store/src/planted.ts': text })).toEqual([
      'packages/store/src/planted.ts:1: ../../engine/src/engine.ts climbs out of packages/store',
    ])
  })

  test.each([
    ['a module of Node', "import { readFileSync } from 'node:fs'"],
    ['process', 'export const x = process.pid'],
    ['Buffer', "export const x = Buffer.from('')"],
  ])('%s in workflows', (_kind, text) => {
    expect(added(checkPurity, { 'packages/workflows/src/planted.ts': text })).toHaveLength(1)
  })

  test('a library in a bundle, also by way of another file', () => {
    const files = {
      'packages/workflows/src/planted/schema.ts': "import { Type } from 'typebox'",
      'packages/workflows/src/planted/workflow.ts': "import { schema } from './schema.ts'",
    }
    expect(added(checkBundles, files)).toEqual([
      expect.stringContaining('workflow.ts → packages/workflows/src/planted/schema.ts → typebox'),
    ])
  })

  test('the environment read in a service', () => {
    const text = 'export const x = process.env.HOME'
    expect(added(checkEnvironment, { 'services/worker/src/planted.ts': text })).toEqual([
      'services/worker/src/planted.ts:1: only cli reads process.env',
    ])
  })
})

test('a property that only has the name of a Node global is none', () => {
  const text = 'export const x = { process: 1 }.process'
  expect(added(checkPurity, { 'packages/workflows/src/planted.ts': text })).toEqual([])
})
