import { hash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'

export type Encoding = 'br' | 'gzip' | 'identity'

export type ConsoleFile = {
  readonly path: string
  readonly mediaType: string
  /** Its name holds the hash of its content: it never changes. */
  readonly immutable: boolean
  /** Where each form of it lies. */
  readonly forms: ReadonlyMap<Encoding, string>
}

export type ConsoleFiles = {
  /** The file at the path of an address; undefined when the build has none. */
  find(path: string): ConsoleFile | undefined
  /** Content and its tag. @throws when the file is gone */
  read(file: ConsoleFile, encoding: Encoding): Promise<{ data: Buffer; etag: string }>
}

const mediaTypes: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
}

const endings: Record<string, Encoding> = { '.br': 'br', '.gz': 'gzip' }
const maxFiles = 5_000
/** A build may be renewed while the server runs: a name that is missing is looked for again, not too often. */
const rescanMs = 1_000

/** The files of the built console. Only what was found in its directory can be asked for, whatever the address. */
export function createConsoleFiles(directory: string, clock: { nowMs(): number }): ConsoleFiles {
  let files = scan(directory)
  let scannedMs = clock.nowMs()
  const tags = new Map<string, string>()
  return {
    find(path) {
      const found = files.get(path)
      if (found !== undefined || clock.nowMs() - scannedMs < rescanMs) return found
      files = scan(directory)
      scannedMs = clock.nowMs()
      tags.clear()
      return files.get(path)
    },
    async read(file, encoding) {
      const place = file.forms.get(encoding) ?? file.path
      const data = await readFile(place)
      const known = file.immutable ? tags.get(place) : undefined
      const etag = known ?? `"${hash('sha256', data, 'base64url').slice(0, 27)}"`
      tags.set(place, etag)
      return { data, etag }
    },
  }
}

function scan(directory: string): Map<string, ConsoleFile> {
  const found = new Map<string, ConsoleFile>()
  for (const name of list(directory)) {
    const place = join(directory, name)
    const ending = endings[extname(name)]
    const plain = ending === undefined ? name : name.slice(0, -extname(name).length)
    const path = `/${plain.split(sep).join('/')}`
    const mediaType = mediaTypes[extname(plain)]
    if (mediaType === undefined) continue
    const forms = new Map(found.get(path)?.forms).set(ending ?? 'identity', place)
    found.set(path, { path: place, mediaType, immutable: path.startsWith('/assets/'), forms })
  }
  // A compressed form without the file itself cannot be given to everyone.
  return new Map([...found].filter(([, file]) => file.forms.has('identity')))
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(directory, name)).isFile())
      .slice(0, maxFiles)
  } catch {
    // Not built yet, or just being built anew.
    return []
  }
}

/** The best form that the caller can read and that there is. */
export function bestEncoding(file: ConsoleFile, acceptEncoding: string | undefined): Encoding {
  const refused = /;\s*q=0(?:\.0*)?\s*$/
  const accepted = (acceptEncoding ?? '')
    .split(',', 16)
    .filter((part) => !refused.test(part))
    .map((part) => part.split(';', 1)[0]?.trim().toLowerCase())
  const wanted: Encoding[] = ['br', 'gzip']
  return wanted.find((form) => accepted.includes(form) && file.forms.has(form)) ?? 'identity'
}
