import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Store } from '@kyros/store/store'
import { adapterHash, sdkSeries } from './adapter-hash.ts'
import type { Build } from './builds.ts'

const [pack, unpack] = [promisify(gzip), promisify(gunzip)]

/** The code of a build is kept beside it, under this name. */
const codeName = 'kyros.build.code'
const keyOf = ({ id }: Pick<Build, 'id'>) => `${id}.code`

export type BuildCode = { kind: 'code'; code: string } | { kind: 'missing'; why: string }

/**
 * What a build executes. The first worker of the Kyros that made it keeps that in the store, and every later one takes it
 * from there: runs go on with the adapter that they began with, whatever that of this Kyros is.
 */
export async function codeOf(
  store: Store,
  build: Build,
  { bundle, nowMs }: { bundle: () => Promise<string>; nowMs: () => number },
): Promise<BuildCode> {
  const stored = await store.definitions.get(keyOf(build))
  if (stored !== undefined) return readCode(stored)
  const isOurs = build.adapter === '' || build.adapter === (await adapterHash())
  if (!isOurs) {
    const why = 'It was made by another version of Kyros, of which no worker has served it yet.'
    return { kind: 'missing', why }
  }
  const code = withoutSources(await bundle())
  const packed = await pack(code)
  const definition = {
    ...{ hash: keyOf(build), name: codeName, version: sdkSeries(), createdMs: nowMs() },
    source: packed.toString('base64'),
  }
  await store.write({ kind: 'store_definition', definition })
  // Whoever was first: all workers execute the same.
  const kept = (await store.definitions.get(keyOf(build))) ?? definition
  return kept.source === definition.source ? { kind: 'code', code } : readCode(kept)
}

/** What is kept of a build that a worker has served. */
export async function keptCodeOf(store: Pick<Store, 'definitions'>, buildId: string): Promise<BuildCode> {
  const stored = await store.definitions.get(keyOf({ id: buildId }))
  if (stored !== undefined) return readCode(stored)
  return { kind: 'missing', why: 'The bundle of their build is not in this database.' }
}

const mapStart = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,'

/** The map of a bundle gives the lines of stacks; the sources in it are half of what a bundle is. */
function withoutSources(code: string): string {
  const at = code.lastIndexOf(mapStart)
  if (at < 0) return code
  const map: object = JSON.parse(Buffer.from(code.slice(at + mapStart.length), 'base64').toString())
  const lean = JSON.stringify({ ...map, sourcesContent: undefined })
  return code.slice(0, at) + mapStart + Buffer.from(lean).toString('base64')
}

async function readCode({ version, source }: { version: string; source: string }): Promise<BuildCode> {
  if (version !== sdkSeries()) {
    const why = `It was bundled with version ${version} of Temporal's SDK, and this Kyros has ${sdkSeries()}.`
    return { kind: 'missing', why }
  }
  return { kind: 'code', code: (await unpack(Buffer.from(source, 'base64'))).toString() }
}
