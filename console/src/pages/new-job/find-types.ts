import type { WorkflowType } from '@kyros/contract/job'

type Named = Pick<WorkflowType, 'name' | 'title' | 'description'>

/** The workflows in which every word of the search stands somewhere, in any case. */
export function findTypes<T extends Named>(types: readonly T[], search: string): readonly T[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return types.filter(({ name, title, description }) => {
    const text = `${name} ${title} ${description}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
