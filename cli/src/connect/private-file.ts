import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const ownerOnly = 0o600
const ownerOnlyDirectory = 0o700

/** Replaces a file that only its owner may read; a reader sees the old or the new one, never half of it. */
export function writePrivateFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: ownerOnlyDirectory })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text, { mode: ownerOnly })
  renameSync(draft, path)
}

/** The JSON object in a file; undefined when there is none that can be read. */
export function readJsonFile(path: string): Record<string, unknown> | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof content === 'object' && content !== null
      ? Object.fromEntries(Object.entries(content))
      : undefined
  } catch {
    return undefined
  }
}

export function removeFile(path: string): void {
  rmSync(path, { force: true })
}
