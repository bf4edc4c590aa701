import { expect, test } from 'vitest'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { bundleDefinition, DefinitionError, hashOf } from './bundle-definition.ts'

const bad = (file: string) => ({
  name: 'bad',
  entry: new URL(`../fixtures/bad/${file}`, import.meta.url),
})

async function placesOf(file: string): Promise<readonly string[]> {
  try {
    await bundleDefinition(bad(file))
  } catch (error) {
    if (error instanceof DefinitionError) return error.places
    throw error
  }
  throw new Error('it was bundled')
}

test('a bundle is one file that names no file of this machine', async () => {
  const bundle = await bundleDefinition(testWorkflow('sequence'))
  expect(bundle.source).not.toMatch(/\/(work|tmp|home|packages)\b|import |sourceMapping/)
  expect(bundle.source).toContain('step.First')
  expect(bundle.hash).toBe(hashOf(bundle.source))
})

test('the same sources give the same bytes', async () => {
  const [one, two] = await Promise.all([0, 1].map(() => bundleDefinition(testWorkflow('mixed'))))
  expect(one?.source).toBe(two?.source)
})

test('clocks and dice are refused with file, line and what to use instead', async () => {
  const places = await placesOf('clocks.ts')
  expect(places).toEqual([
    expect.stringMatching(/bad\/clocks\.ts:9 uses Date: use context\.now\(\)$/),
    expect.stringMatching(/bad\/clocks\.ts:8 uses Math\.random: use context\.random\(\)$/),
  ])
})

test('names of one’s own are not taken for the globals of the same name', async () => {
  await expect(bundleDefinition(bad('blameless.ts'))).resolves.toMatchObject({
    hash: expect.any(String),
  })
})

test('Node is refused where it is imported', async () => {
  expect(await placesOf('node-import.ts')).toEqual([
    expect.stringMatching(/node-import\.ts:1 imports node:fs: a definition may not touch Node/),
  ])
})

test('schemas are refused as values', async () => {
  expect(await placesOf('schema-import.ts')).toEqual([
    expect.stringMatching(/schema-import\.ts:2 imports typebox: .*import type/),
  ])
})

test('a file that cannot be parsed is refused with its line', async () => {
  expect(await placesOf('broken.ts')).toEqual([expect.stringMatching(/broken\.ts:2 /)])
})
