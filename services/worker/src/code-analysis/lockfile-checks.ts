import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path/posix'
import { type Advisory, isAffected, parseAdvisories } from './advisories.ts'
import type { Analyzer, AnalyzerContext } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'

const maxAdvisoryBytes = 512_000_000
const lockNames = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
  'bun.lockb',
]

export type LockedPackage = {
  readonly ecosystem: string
  readonly name: string
  readonly version: string
  readonly start: number
}

/** Lockfiles: where packages come from, and whether an advisory of the given file is about one of them. */
export function lockfileChecks(context: AnalyzerContext): Analyzer {
  const advisories = readAdvisories(context)
  const folders = new Set(
    context.manifest.files
      .filter((file) => lockNames.includes(basename(file.path)))
      .map((file) => dirname(file.path)),
  )
  let packages = 0
  return {
    name: 'kyros-lockfiles',
    version: '1',
    file(file) {
      const name = basename(file.file.path)
      if (file.file.role === 'vendored' || file.file.role === 'test') return false
      if (name === 'package.json') {
        checkHasLock(file, folders)
        return true
      }
      const locked = lockedPackages(file, name)
      if (locked === undefined) return false
      packages += locked.length
      if (name === 'package-lock.json') checkOrigins(file)
      for (const found of locked) reportAdvisories(file, found, advisories)
      return true
    },
    metrics: () => ({ locked_packages: packages }),
  }
}

function readAdvisories(context: AnalyzerContext): ReadonlyMap<string, readonly Advisory[]> {
  if (context.advisoryFile === undefined) {
    context.skip(
      'known vulnerabilities',
      'no advisory file is configured (analysis.advisory_file), and nothing is looked up online',
    )
    return new Map()
  }
  try {
    const bytes = readFileSync(context.advisoryFile)
    if (bytes.length > maxAdvisoryBytes) throw new Error('too large')
    return parseAdvisories(bytes.toString('utf8'))
  } catch {
    context.skip('known vulnerabilities', 'the advisory file cannot be read as OSV JSON')
    return new Map()
  }
}

function lockedPackages(file: FileUnderAnalysis, name: string): LockedPackage[] | undefined {
  if (name === 'package-lock.json' || name === 'npm-shrinkwrap.json') return npmPackages(file)
  if (/^requirements[\w.-]*\.txt$/.test(name))
    return matchAllPackages(file, 'PyPI', /^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([\w.!+-]+)/gm)
  if (name === 'poetry.lock' || name === 'uv.lock')
    return matchAllPackages(file, 'PyPI', /^name = "([^"]+)"\nversion = "([^"]+)"/gm)
  if (name === 'Cargo.lock')
    return matchAllPackages(file, 'crates.io', /^name = "([^"]+)"\nversion = "([^"]+)"/gm)
  if (name === 'go.mod')
    return matchAllPackages(file, 'Go', /^\s*(?:require\s+)?([\w.-]+\.[\w./-]+)\s+v([\w.+-]+)/gm)
  if (name === 'yarn.lock')
    return matchAllPackages(file, 'npm', /^"?((?:@[\w.-]+\/)?[\w.-]+)@[^\n]*:\n\s+version:? "?([\w.+-]+)"?/gm)
  if (name === 'Gemfile.lock') return matchAllPackages(file, 'RubyGems', /^ {4}([\w.-]+) \(([\w.]+)\)$/gm)
  return undefined
}

function matchAllPackages(file: FileUnderAnalysis, ecosystem: string, pattern: RegExp): LockedPackage[] {
  return [...file.text.matchAll(pattern)].map((match) => ({
    ecosystem,
    name: match[1] ?? '',
    version: match[2] ?? '',
    start: match.index,
  }))
}

function npmPackages(file: FileUnderAnalysis): LockedPackage[] {
  const pattern =
    /"(?:node_modules\/|[^"\n]+\/node_modules\/)((?:@[\w.-]+\/)?[\w.-]+)":\s*\{\s*"version":\s*"([^"]+)"/g
  return matchAllPackages(file, 'npm', pattern)
}

function reportAdvisories(
  file: FileUnderAnalysis,
  found: LockedPackage,
  advisories: ReadonlyMap<string, readonly Advisory[]>,
): void {
  for (const advisory of advisories.get(`${found.ecosystem}:${found.name.toLowerCase()}`) ?? []) {
    if (!isAffected(advisory, found.version)) continue
    const fixed = advisory.fixed === undefined ? 'No fixed version is known.' : `Fixed in ${advisory.fixed}.`
    const message = `${found.name} ${found.version}: ${advisory.id} ${advisory.summary} ${fixed}`.slice(
      0,
      500,
    )
    file.report('security/known-vulnerability', { start: found.start }, message, {
      severity: advisory.severity,
    })
  }
}

function checkOrigins(file: FileUnderAnalysis): void {
  const http = [...file.text.matchAll(/"resolved":\s*"http:\/\/[^"]+"/g)]
  const [first] = http
  if (first !== undefined)
    file.report(
      'security/insecure-lock',
      { start: first.index },
      `${http.length} packages are fetched over http://.`,
    )
  const remote = [
    ...file.text.matchAll(
      /"resolved":\s*"https?:\/\/[^"]+\.tgz"(?!,\s*"integrity")(?=,?\s*(?:"(?:dev|optional|peer|license|engines|dependencies|bin)"|\}))/g,
    ),
  ]
  const [missing] = remote
  if (missing !== undefined)
    file.report(
      'security/missing-integrity',
      { start: missing.index },
      `${remote.length} packages have no "integrity".`,
    )
}

function checkHasLock(file: FileUnderAnalysis, folders: ReadonlySet<string>): void {
  const isApplication = /"private"\s*:\s*true/.test(file.text)
  if (!isApplication || !/"dependencies"\s*:\s*\{\s*"/.test(file.text)) return
  for (let folder = dirname(file.file.path); ; folder = dirname(folder)) {
    if (folders.has(folder)) return
    if (folder === '.' || folder === '/') break
  }
  file.report(
    'security/missing-lock',
    { start: Math.max(0, file.text.indexOf('"dependencies"')) },
    'No lockfile lies here or above.',
  )
}
