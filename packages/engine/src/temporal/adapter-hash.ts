import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

let hashing: Promise<string> | undefined

/**
 * What the adapter of this Kyros is: the same hash, the same commands for the same definition. Made of every file that
 * goes into the sandbox beside definitions, and of the version of the SDK there.
 */
export function adapterHash(): Promise<string> {
  hashing ??= adapterSources().then(hashOf)
  return hashing
}

/** A bundle goes on with every patch of the SDK that it was made with, and with no other. */
export function sdkSeries(): string {
  return sdkVersion().split('.').slice(0, 2).join('.')
}

function sdkVersion(): string {
  const { version }: { version: string } = require('@temporalio/workflow/package.json')
  return version
}

/** The files that it is made of, by their addresses. */
export async function adapterSources(): Promise<Map<string, string>> {
  const sources = new Map<string, string>()
  const open = [
    import.meta.resolve('./workflow-adapter.ts'),
    import.meta.resolve('./run-interceptors.ts'),
    import.meta.resolve('./sandbox-preload.ts'),
    import.meta.resolve('./failure-converter.ts'),
  ]
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    if (sources.has(url)) continue
    const source = await readFile(new URL(url), 'utf8')
    sources.set(url, source)
    open.push(...importsOf(source, url))
  }
  return sources
}

function hashOf(sources: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256').update(sdkVersion())
  // By what they are, and not by where: every installation has the same.
  for (const source of [...sources.values()].toSorted()) hash.update('\0').update(source)
  return hash.digest('hex')
}

const importForm = /^(?:import|export)\s(?!type\s)[^'"]*?from\s+'([^']+)'/gm

/** Files of this project; libraries come with their versions. */
function importsOf(source: string, url: string): string[] {
  return [...source.matchAll(importForm)].flatMap(([, name = '']) => {
    if (name.startsWith('.')) return [new URL(name, url).href]
    return name.startsWith('@kyros/') ? [import.meta.resolve(name)] : []
  })
}
