import type { Store } from '@kyros/store/store'
import type { EngineClock } from '../embedded/timers.ts'
import { adapterHash } from './adapter-hash.ts'
import { type Build, buildsName, readBuild } from './builds.ts'

/** Every build, the newest first, and whether a run of its definitions has not ended: on this build or on another. */
export async function buildsInUse(
  store: BuildStore,
  known = new Map<string, Build>(),
): Promise<{ build: Build; mayHaveRuns: boolean }[]> {
  const listed = (await store.definitions.list()).filter(({ name }) => name === buildsName)
  const live = await store.runs.countByDefinition('temporal')
  const found = []
  for (const { hash } of listed.toSorted((a, b) => b.createdMs - a.createdMs)) {
    const build = known.get(hash) ?? (await readBuild(store, hash))
    if (build === undefined) continue
    known.set(hash, build)
    found.push({ build, mayHaveRuns: Object.values(build.members).some((member) => live.has(member)) })
  }
  return found
}

/** What is asked of a store. */
export type BuildStore = {
  readonly definitions: Store['definitions']
  readonly runs: Pick<Store['runs'], 'countByDefinition'>
}

export type NeededBuildsParts = {
  readonly store: BuildStore
  readonly clock: Pick<EngineClock, 'nowMs'>
  /** How many runs the cluster has on a build. */
  readonly countRuns: (buildId: string) => Promise<number>
}

/** That a build has runs holds for so long: the cluster is asked of each that is not new. */
const countEveryMs = 10_000

type Counted = { atMs: number; isNeeded: boolean }

/**
 * The builds that have to be served: the newest, the newest of this Kyros, and every one that a run is on. After an upgrade
 * of Kyros old and new builds have the same definitions, so only the cluster knows which of them is still needed.
 */
export class NeededBuilds {
  readonly #parts: NeededBuildsParts
  readonly #counted = new Map<string, Counted>()
  /** They never change. */
  readonly #known = new Map<string, Build>()

  constructor(parts: NeededBuildsParts) {
    this.#parts = parts
  }

  async read(): Promise<Build[]> {
    const own = await adapterHash()
    const builds = await buildsInUse(this.#parts.store, this.#known)
    const needed: Build[] = []
    let hasOwn = false
    for (const [index, { build, mayHaveRuns }] of builds.entries()) {
      const isNewest = index === 0 || (!hasOwn && build.adapter === own)
      hasOwn ||= build.adapter === own
      if (isNewest || (mayHaveRuns && (await this.#hasRuns(build.id)))) needed.push(build)
    }
    return needed
  }

  /** A cluster that does not say so is one whose runs may need it. */
  async #hasRuns(buildId: string): Promise<boolean> {
    const { clock, countRuns } = this.#parts
    const known = this.#counted.get(buildId)
    // A run may begin on one that has none at any time, and its worker must not be let go of by an old count.
    const isFresh = known?.isNeeded === true && clock.nowMs() - known.atMs < countEveryMs
    if (isFresh) return true
    const isNeeded = await countRuns(buildId).then(
      (runs) => runs > 0,
      () => true,
    )
    this.#counted.set(buildId, { atMs: clock.nowMs(), isNeeded })
    return isNeeded
  }
}
