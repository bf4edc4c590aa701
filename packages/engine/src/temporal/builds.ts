import { createHash } from 'node:crypto'
import type { Json } from '@kyros/contract/json'
import type { Store } from '@kyros/store/store'
import type { Definitions } from '../definitions/definitions.ts'
import type { EngineClock } from '../embedded/timers.ts'
import type { BundledDefinition } from './bundle-workflows.ts'

/** Definitions that are bundled together, by workflow: what one version of a worker executes. */
export type Build = { readonly id: string; readonly members: { readonly [workflow: string]: string } }

export const deploymentName = 'kyros'

/** Builds are kept as definitions of this name, whose source lists their members: every worker finds them there. */
export const buildsName = 'kyros.build'

export function buildOf(members: Build['members']): Build {
  const sorted = Object.fromEntries(Object.entries(members).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const id = createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
  return { id, members: sorted }
}

export async function storeBuild(store: Store, { id, members }: Build, createdMs: number): Promise<void> {
  if ((await store.definitions.get(id)) !== undefined) return
  const definition = { hash: id, name: buildsName, version: '', source: JSON.stringify(members), createdMs }
  await store.write({ kind: 'store_definition', definition })
}

/** Undefined when there is no such build in this store. */
export async function readBuild(store: Pick<Store, 'definitions'>, id: string): Promise<Build | undefined> {
  const stored = await store.definitions.get(id)
  if (stored?.name !== buildsName) return undefined
  const members: Json = JSON.parse(stored.source)
  if (members === null || typeof members !== 'object' || Array.isArray(members)) return undefined
  return {
    id,
    members: Object.fromEntries(Object.entries(members).map(([name, hash]) => [name, String(hash)])),
  }
}

/** The stored bundles of its members. @throws when one is missing */
export async function definitionsOf(
  store: Pick<Store, 'definitions'>,
  { members }: Build,
): Promise<BundledDefinition[]> {
  return Promise.all(
    Object.entries(members).map(async ([workflow, hash]) => {
      const stored = await store.definitions.get(hash)
      if (stored === undefined) throw new Error(`The definition ${hash} of ${workflow} is not stored.`)
      return { workflow, version: stored.version, hash, source: stored.source }
    }),
  )
}

/** The builds that this process starts runs on: what can be started now, and around it what older runs were accepted with. */
export class Builds {
  readonly #store: Store
  readonly #definitions: Pick<Definitions, 'startable'>
  readonly #clock: Pick<EngineClock, 'nowMs'>
  readonly #stored = new Set<string>()
  readonly #versions = new Map<string, string>()

  constructor(store: Store, definitions: Pick<Definitions, 'startable'>, clock: Pick<EngineClock, 'nowMs'>) {
    this.#store = store
    this.#definitions = definitions
    this.#clock = clock
  }

  /** The build of what can be started now, with this definition of one of its workflows. Durable when this resolves. */
  async withMember(workflow: string, hash: string): Promise<Build> {
    const members: { [workflow: string]: string } = {}
    for (const [name, startable] of this.#definitions.startable) members[name] = startable.hash
    members[workflow] = hash
    const build = buildOf(members)
    if (!this.#stored.has(build.id)) {
      await storeBuild(this.#store, build, this.#clock.nowMs())
      this.#stored.add(build.id)
    }
    return build
  }

  /** What a build holds of a workflow; undefined when it is not known here. */
  async memberOf(
    buildId: string,
    workflow: string,
  ): Promise<{ definition: string; version: string } | undefined> {
    const build = await readBuild(this.#store, buildId)
    const definition = build?.members[workflow]
    if (definition === undefined) return undefined
    const known = this.#versions.get(definition) ?? (await this.#store.definitions.get(definition))?.version
    if (known === undefined) return undefined
    this.#versions.set(definition, known)
    return { definition, version: known }
  }
}
