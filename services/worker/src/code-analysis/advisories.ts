import type { AnalysisSeverity } from '@kyros/contract/analysis-report'

/** One advisory about one package, from a file in OSV format (one object, an array, or one per line). */
export type Advisory = {
  readonly id: string
  readonly summary: string
  readonly severity: AnalysisSeverity
  readonly ranges: readonly {
    readonly introduced: string
    readonly fixed: string | undefined
    readonly last: string | undefined
  }[]
  readonly versions: ReadonlySet<string>
  readonly fixed: string | undefined
}

type Json = { readonly [key: string]: unknown }

/** Advisories by `ecosystem:name`. @throws SyntaxError when it is not JSON */
export function parseAdvisories(text: string): Map<string, Advisory[]> {
  const byPackage = new Map<string, Advisory[]>()
  for (const entry of entriesOf(text)) {
    for (const affected of recordsIn(entry.affected)) {
      const [owner] = recordsIn([affected.package])
      if (owner === undefined) continue
      const key = `${String(owner.ecosystem).split(':')[0]}:${String(owner.name).toLowerCase()}`
      byPackage.set(key, [...(byPackage.get(key) ?? []), advisoryOf(entry, affected)])
    }
  }
  return byPackage
}

function entriesOf(text: string): Json[] {
  const trimmed = text.trim()
  const isLines = trimmed.startsWith('{') && /\}\s*\n\s*\{/.test(trimmed)
  const parsed: unknown = isLines ? trimmed.split('\n').map((line) => JSON.parse(line)) : JSON.parse(trimmed)
  return recordsIn(Array.isArray(parsed) ? parsed : [parsed])
}

function recordsIn(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : []
}

function advisoryOf(entry: Json, affected: Json): Advisory {
  const ranges = recordsIn(affected.ranges).flatMap((range) => {
    const events = recordsIn(range.events)
    const found: { introduced: string; fixed: string | undefined; last: string | undefined }[] = []
    for (const event of events) {
      if (typeof event.introduced === 'string')
        found.push({ introduced: event.introduced, fixed: undefined, last: undefined })
      const open = found.at(-1)
      if (open !== undefined && typeof event.fixed === 'string') open.fixed = event.fixed
      if (open !== undefined && typeof event.last_affected === 'string') open.last = event.last_affected
    }
    return range.type === 'GIT' ? [] : found
  })
  const versions = Array.isArray(affected.versions)
    ? affected.versions.filter((version) => typeof version === 'string')
    : []
  const [specific] = recordsIn([entry.database_specific])
  return {
    id: String(entry.id ?? 'unnamed'),
    summary: String(entry.summary ?? '').slice(0, 300),
    severity: severityOf(String(specific?.severity ?? '')),
    ranges,
    versions: new Set(versions),
    fixed: ranges.findLast(({ fixed }) => fixed !== undefined)?.fixed,
  }
}

function severityOf(text: string): AnalysisSeverity {
  switch (text.toUpperCase()) {
    case 'CRITICAL':
      return 'critical'
    case 'MODERATE':
    case 'MEDIUM':
      return 'medium'
    case 'LOW':
      return 'low'
    default:
      return 'high'
  }
}

export function isAffected(advisory: Advisory, version: string): boolean {
  if (advisory.versions.has(version)) return true
  return advisory.ranges.some(
    ({ introduced, fixed, last }) =>
      (introduced === '0' || compareVersions(version, introduced) >= 0) &&
      (fixed === undefined || compareVersions(version, fixed) < 0) &&
      (last === undefined || compareVersions(version, last) <= 0),
  )
}

/** By numbers from left to right; a pre-release comes before its release, as in semantic versioning. */
export function compareVersions(left: string, right: string): number {
  const [leftMain = '', leftPre] = splitVersion(left)
  const [rightMain = '', rightPre] = splitVersion(right)
  const main = compareParts(leftMain, rightMain)
  if (main !== 0) return main
  if (leftPre === undefined || rightPre === undefined)
    return leftPre === rightPre ? 0 : leftPre === undefined ? 1 : -1
  return compareParts(leftPre, rightPre)
}

function splitVersion(version: string): [string, string | undefined] {
  const clean = version.replace(/^v/, '').replace(/\+.*$/, '')
  const dash = clean.indexOf('-')
  return dash === -1 ? [clean, undefined] : [clean.slice(0, dash), clean.slice(dash + 1)]
}

function compareParts(left: string, right: string): number {
  const [a, b] = [left.split('.'), right.split('.')]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [x = '0', y = '0'] = [a[at], b[at]]
    const isNumeric = /^\d+$/.test(x) && /^\d+$/.test(y)
    if (x !== y) return isNumeric ? Number(x) - Number(y) : x < y ? -1 : 1
  }
  return 0
}
