// What package.json files and the lockfile must hold.
import type { Repository } from './repository.ts'
import { textOf } from './repository.ts'

interface LockEntry {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Packages of others in whose place stands an empty one: see docs/adr/0006-no-install-scripts.md. */
const standIns = ['@ibm/telemetry-js', '@ibm/plex', '@ibm/plex-serif', '@ibm/plex-sans-arabic'] as const
const exactVersion = /^\d+\.\d+\.\d+(-[\w.]+)?$/

/** The sentence about a workspace is the same in the map and in its package.json. */
export function checkDescriptions(repository: Repository): string[] {
  const lines = textOf(repository, 'ARCHITECTURE.md').split('\n')
  return repository.workspaces.flatMap(({ folder, manifest }) => {
    const wanted = `- \`${folder}\`: ${manifest.description}`
    return lines.includes(wanted) ? [] : [`ARCHITECTURE.md: the map lacks the line "${wanted}"`]
  })
}

/** Versions are exact, so that two machines run the same code. */
export function checkVersions(repository: Repository): string[] {
  return repository.files
    .filter((file) => /(^|\/)package\.json$/.test(file.path) && !file.path.includes('/fixtures/'))
    .flatMap((file) => {
      const manifest = JSON.parse(file.text)
      const groups = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies]
      return Object.entries<string>(Object.assign({}, ...groups))
        .filter(([, version]) => !exactVersion.test(version))
        .map(([name, version]) => `${file.path}: ${name} "${version}" is not an exact version`)
    })
}

function checkEntry(path: string, entry: LockEntry, packages: Record<string, LockEntry>): string[] {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const problems: string[] = []
  if (entry.resolved?.startsWith('http')) problems.push(`${path} records a download address`)
  if (!entry.link && path.includes('node_modules/') && !entry.integrity)
    problems.push(`${path} has no integrity`)
  if (!entry.link && standIns.some((standIn) => standIn === name))
    problems.push(`${path} is not the stand-in`)
  const needed = Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
  const missing = needed.filter((dependency) => !isLocked(path, dependency, packages))
  return [
    ...problems,
    ...missing.map((dependency) => `${path} needs ${dependency}, which the lockfile lacks`),
  ]
}

/** Looks a dependency up as Node does: in the package's own folder, then in each folder above. */
function isLocked(path: string, name: string, packages: Record<string, LockEntry>): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const prefix = folder === '' ? '' : `${folder}/`
    if (`${prefix}node_modules/${name}` in packages) return true
    if (!folder.includes('/node_modules/')) return `node_modules/${name}` in packages
  }
}

/** A lockfile works on every platform and with every registry, and brings nothing that was left out on purpose. */
export function checkLockfile(repository: Repository): string[] {
  return repository.files
    .filter((file) => /(^|\/)package-lock\.json$/.test(file.path) && !file.path.includes('/fixtures/'))
    .flatMap((file) => {
      const packages: Record<string, LockEntry> = JSON.parse(file.text).packages
      return Object.entries(packages)
        .flatMap(([path, entry]) => checkEntry(path, entry, packages))
        .map((problem) => `${file.path}: ${problem}`)
    })
}
