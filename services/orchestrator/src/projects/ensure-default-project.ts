import type { Clock } from '@kyros/kernel/clock'
import type { Store } from '@kyros/store/store'

export const defaultProjectName = 'default'

/**
 * The id of the project `default`, made at first boot. Several processes may start at once: who loses the race
 * takes the winner's.
 */
export async function ensureDefaultProject(deps: {
  store: Store
  clock: Clock
  newId: () => string
}): Promise<string> {
  const existing = await deps.store.projects.byName(defaultProjectName)
  if (existing !== undefined) return existing.id
  const id = deps.newId()
  try {
    await deps.store.write({
      kind: 'create_project',
      id,
      name: defaultProjectName,
      description: 'Where jobs go that name no project',
      projectType: 'standard',
      timeMs: deps.clock.nowMs(),
      actor: 'kyros',
    })
    return id
  } catch (error) {
    const winner = await deps.store.projects.byName(defaultProjectName)
    if (winner === undefined) throw error
    return winner.id
  }
}
