import { expect, test } from 'vitest'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { bundleDefinition } from './bundle-definition.ts'
import { DefinitionError, faultText } from './fault.ts'
import { hashOf } from './hash-of.ts'

const bad = (file: string) => ({
  name: 'bad',
  entry: new URL(`../fixtures/bad/${file}`, import.meta.url),
})

async function faultsOf(file: string): Promise<readonly string[]> {
  try {
    return (await bundleDefinition(bad(file))).warnings.map(faultText)
  } catch (error) {
    if (error instanceof DefinitionError) return error.faults.map(faultText)
    throw error
  }
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
  expect(await faultsOf('clocks.ts')).toEqual([
    expect.stringMatching(/bad\/clocks\.ts:8 uses Math\.random: use context\.random\(\)$/),
    expect.stringMatching(/bad\/clocks\.ts:9 uses Date: use context\.now\(\)$/),
  ])
})

test('names of one’s own are not taken for the globals of the same name', async () => {
  await expect(bundleDefinition(bad('blameless.ts'))).resolves.toMatchObject({
    hash: expect.any(String),
    warnings: [],
  })
})

test('Node is refused where it is imported', async () => {
  expect(await faultsOf('node-import.ts')).toEqual([
    expect.stringMatching(/node-import\.ts:1 imports node:fs: a definition may not touch Node/),
  ])
})

test('schemas are refused as values', async () => {
  expect(await faultsOf('schema-import.ts')).toEqual([
    expect.stringMatching(/schema-import\.ts:2 imports typebox: .*import type/),
  ])
})

test('a schema that is built beside the definition stays out of the bundle', async () => {
  const { source } = await bundleDefinition(bad('schema-beside.ts'))
  expect(source).toContain('Hello')
  expect(source).not.toMatch(/minLength|inputSchema|TypeBox/)
})

test('a file that cannot be parsed is refused with its line', async () => {
  expect(await faultsOf('broken.ts')).toEqual([expect.stringMatching(/broken\.ts:2 /)])
})

test('state that all runs share is refused, what may be meant is warned of', async () => {
  expect((await faultsOf('kept-state.ts')).map((text) => text.replace(/^.*kept-state\.ts:/, ''))).toEqual([
    '11 changes count, which all runs share: keep it in a variable inside run, where each run has its own',
    '12 changes what is in seen, which all runs share: keep it in a variable inside run, where each run has its own',
    '13 nothing waits for Do, which is cut off when the workflow ends: write await before it',
    '16 uses Intl: name the language and the time zone, or format in a step',
    '16 toLocaleString depends on the language and time zone of the machine: name both, or format in a step',
  ])
})

test('what is only warned of, and dates that are made of a value, keep their names', async () => {
  const { source, warnings } = await bundleDefinition(bad('languages.ts'))
  expect(source).toContain('new Intl.NumberFormat("en")')
  expect(source).toContain('new Date(now() + Date.parse("1970-01-02"))')
  expect(warnings.map(({ code, line }) => `${code}:${line}`)).toEqual([
    'not_awaited:8',
    'language_dependent:9',
    'language_dependent:9',
  ])
})
