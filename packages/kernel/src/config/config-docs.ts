import { allowedValues } from './read-value.ts'
import { environmentName, type Setting, type Settings } from './setting.ts'

/** docs/configuration.md's tables: one per section, in the schema's order. */
export function configTables(settings: Settings): string {
  const sections = Map.groupBy(settings.all, (setting) => setting.path.split('.')[0] ?? '')
  const alone = [...sections].filter(([, group]) => group.every((setting) => !setting.path.includes('.')))
  const grouped = [...sections].filter(([, group]) => group.some((setting) => setting.path.includes('.')))
  const parts = grouped.map(([name, group]) => table(`\`${name}\``, group))
  const top = alone.flatMap(([, group]) => group)
  const open = settings.open.map((section) => `- \`${section.path}.*\`: ${section.planned}`)
  return [
    table('At the top', top),
    ...parts,
    '## Accepted, not read yet\n',
    'Any key under these is accepted with a notice, so that a configuration written for the whole platform starts.\n',
    `${open.join('\n')}\n`,
  ].join('\n')
}

/** The text of `.env.example`: every setting that is read today, commented out, with its default. */
export function envExample(settings: Settings): string {
  const lines = [
    '# Copy to .env and change what you need. Every line is optional; docs/configuration.md explains each.',
    '# Made from the schemas by tools/config-docs.ts.',
  ]
  const read = settings.all.filter((setting) => setting.planned === undefined)
  const isTop = (setting: Setting) => !setting.path.includes('.')
  let section = ''
  for (const setting of [...read.filter(isTop), ...read.filter((candidate) => !isTop(candidate))]) {
    const name = setting.path.split('.')[0] ?? ''
    if (name !== section && !isTop(setting)) lines.push('', `# --- ${name} ---`)
    section = name
    lines.push(`# ${setting.description}`, `#${shortName(setting)}=${exampleValue(setting)}`)
  }
  return `${lines.join('\n')}\n`
}

function table(title: string, group: readonly Setting[]): string {
  const rows = group.map((setting) => {
    const names = [environmentName(setting.path), ...setting.env].map((name) => `\`${name}\``)
    const cells = [`\`${setting.path}\``, names.join(', '), defaultText(setting), describe(setting)]
    return `| ${cells.join(' | ')} |`
  })
  return [
    `## ${title}\n`,
    '| key | environment | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function describe(setting: Setting): string {
  const unit = setting.unit === undefined ? '' : ` Unit: ${setting.unit}.`
  const planned = setting.planned === undefined ? '' : ` *Accepted, not read yet (${setting.planned}).*`
  const kind = allowedValues(setting)
  const allowed = kind === 'a text' ? '' : ` ${kind.charAt(0).toUpperCase()}${kind.slice(1)}.`
  return `${setting.description}${allowed}${unit}${planned}`.replaceAll('|', '\\|')
}

function defaultText(setting: Setting): string {
  const value = exampleValue(setting)
  return value === '' ? '–' : `\`${value}\``
}

function exampleValue(setting: Setting): string {
  const value = setting.default
  if (value === undefined) return ''
  return typeof value === 'object' ? value.join(',') : String(value)
}

/** The name people know it by: the sources' own where there is one. */
function shortName(setting: Setting): string {
  return setting.env[0] ?? environmentName(setting.path)
}
