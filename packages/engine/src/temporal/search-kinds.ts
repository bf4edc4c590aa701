// Read with the configuration of every process: nothing of the SDK is loaded here.

/** As `temporal.search_attributes` calls the types that Temporal has. */
const searchKinds = ['keyword', 'int', 'double', 'bool', 'datetime'] as const
export type SearchKind = (typeof searchKinds)[number]
/** Attributes of runs that a cluster may show in the clear, by name. */
export type SearchKinds = { readonly [name: string]: SearchKind }

/** What every run has without its definition, and a child of the run at the top. All are keywords. */
const ownAttributes = ['KyrosJob', 'KyrosProject', 'KyrosPriority'] as const

/** `name=type`; what begins with Kyros is one of ours. */
export const searchForm = `^((${ownAttributes.join('|')})=keyword|(?!Kyros)[A-Za-z_][A-Za-z0-9_]{0,62}=(${searchKinds.join('|')}))$`
const form = new RegExp(searchForm)

/** What the setting says, and the first part of it that is not of the form. */
export function readSearchKinds(settings: readonly string[]): {
  kinds: SearchKinds
  wrong: string | undefined
} {
  const kinds: { [name: string]: SearchKind } = {}
  for (const setting of settings) {
    const [name = '', type] = setting.split('=')
    const kind = searchKinds.find((known) => known === type)
    if (kind === undefined || !form.test(setting) || Object.hasOwn(kinds, name))
      return { kinds, wrong: setting }
    kinds[name] = kind
  }
  return { kinds, wrong: undefined }
}
