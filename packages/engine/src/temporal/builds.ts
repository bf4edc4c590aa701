import { createHash } from 'node:crypto'
import type { Store } from '@kyros/store/store'
import type { Definitions } from '../definitions/definitions.ts'
import type { EngineClock } from '../embedded/timers.ts'
import { adapterHash } from './adapter-hash.ts'
import type { BundledDefinition } from './bundle-workflows.ts'

/** Definitions that are bundled together with one adapter: what one version of a worker executes, and always will. */
export type Build = {
  readonly id: string
  /** Of each workflow the hash of its definition. */
  readonly members: { readonly [workflow: string]: string }
  /** `adapterHash` of the Kyros that made it; empty for one that was made before there was this. */
  readonly adapter: string
}

export const deploymentName = 'kyros'

/** Builds are kept as definitions of this name, whose source lists their members: every worker finds them there. */
export const buildsName = 'kyros.build'

export function buildOf(members: Build['members'], adapter: string): Build {
  const sorted = Object.fromEntries(Object.entries(members).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const id = createHash('sha256')
    .update(JSON.stringify({ adapter, members: sorted }))
    .digest('hex')
  return { id, members: sorted, adapter }
}

export async function storeBuild(
  store: Store,
  { id, members, adapter }: Build,
  createdMs: number,
): Promise<void> {
  if ((await store.definitions.get(id)) !== undefined) return
  const source = JSON.stringify({ adapter, members })
  const definition = { hash: id, name: buildsName, version: '', source, createdMs }
  await store.write({ kind: 'store_definition', definition })
}

/** Undefined when there is no such build in this store. */
export async function readBuild(store: Pick<Store, 'definitions'>, id: string): Promise<Build | undefined> {
  const stored = await store.definitions.get(id)
  if (stored?.name !== buildsName) return undefined
  const source: Omit<Build, 'id'> | Build['members'] = JSON.parse(stored.source)
  return isComplete(source) ? { ...source, id } : { id, members: source, adapter: '' }
}

/** No workflow has a definition that is no hash. */
function isComplete(source: Omit<Build, 'id'> | Build['members']): source is Omit<Build, 'id'> {
  return typeof source.members === 'object'
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
    const build = buildOf(members, await adapterHash())
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
