import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/** Folder of an installed package, or undefined when it is not installed. */
export function packageDirectory(name: string): string | undefined {
  for (const base of require.resolve.paths(name) ?? []) {
    try {
      readFileSync(join(base, name, 'package.json'))
      return join(base, name)
    } catch {
      // Not at this level of node_modules.
    }
  }
  return undefined
}

function versionOf(name: string): string {
  const directory = packageDirectory(name)
  if (directory === undefined) return 'missing'
  const manifest: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : ''
  return typeof version === 'string' ? version : ''
}

/** Folder beside a package, for platform packages that are its optional dependencies. */
export function besidePackage(name: string, other: string): string | undefined {
  const directory = packageDirectory(name)
  if (directory === undefined) return undefined
  const require = createRequire(join(directory, 'package.json'))
  try {
    return dirname(require.resolve(`${other}/package.json`))
  } catch {
    return undefined
  }
}

export const analyzerVersions = {
  oxcParser: versionOf('oxc-parser'),
  oxlint: versionOf('oxlint'),
  secretlint: versionOf('@secretlint/core'),
  typescript: versionOf('typescript'),
  scslre: versionOf('scslre'),
}
