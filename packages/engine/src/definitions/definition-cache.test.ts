import { copyFile, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { createDefinitionCache } from './definition-cache.ts'

let dir: string
let source: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kyros-cache-'))
  source = join(dir, 'workflow.ts')
  await symlink(
    fileURLToPath(new URL('../../../../node_modules', import.meta.url)),
    join(dir, 'node_modules'),
  )
  await copyFile(fileURLToPath(new URL('../fixtures/definitions.ts', import.meta.url)), source)
})

const from = () => ({ name: 'sequence', entry: pathToFileURL(source), exportName: 'sequence' })
const cacheDir = () => join(dir, 'cache')

test('the second start reads the bundle and makes none', async () => {
  const first = await createDefinitionCache(cacheDir()).bundle(from())
  const second = await createDefinitionCache(cacheDir()).bundle(from())
  expect([first.fromCache, second.fromCache]).toEqual([false, true])
  expect(second).toMatchObject({ hash: first.hash, source: first.source })
})

test('a change of the source makes another bundle, and the older one stays', async () => {
  const first = await createDefinitionCache(cacheDir()).bundle(from())
  const text = await readFile(source, 'utf8')
  await writeFile(source, text.replace('[first, second, third]', '[third, second, first]'))
  const second = await createDefinitionCache(cacheDir()).bundle(from())
  expect(second.fromCache).toBe(false)
  expect(second.hash).not.toBe(first.hash)
  expect(await readdir(join(cacheDir(), 'definitions'))).toHaveLength(2)
})

test('a bundle that was damaged on disk is made again', async () => {
  const first = await createDefinitionCache(cacheDir()).bundle(from())
  await writeFile(join(cacheDir(), 'definitions', `${first.hash}.mjs`), 'nonsense')
  const second = await createDefinitionCache(cacheDir()).bundle(from())
  expect(second).toMatchObject({ fromCache: false, hash: first.hash, source: first.source })
})

test('a manifest that was damaged on disk is made again', async () => {
  await createDefinitionCache(cacheDir()).bundle(from())
  await writeFile(join(cacheDir(), 'bundles', 'sequence.json'), '{')
  expect((await createDefinitionCache(cacheDir()).bundle(from())).fromCache).toBe(false)
})
