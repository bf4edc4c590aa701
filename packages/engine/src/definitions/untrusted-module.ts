import { fileURLToPath } from 'node:url'
import { messageOf, stackOf } from '../error-text.ts'
import type { Place } from './fault.ts'

/** How long the first lines of a module may take. */
export const loadTimeoutMs = 10_000

/** Waits for a module of an author, whose first lines may wait for something that never comes. */
export async function withinTime<T>(loading: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Error(`it was still loading after ${loadTimeoutMs / 1000} s`)),
    loadTimeoutMs,
  )
  try {
    return await Promise.race([loading, late])
  } finally {
    clearTimeout(timer)
  }
}

const stackPlace = /(?:^|[\s(])((?:file:\/\/)?\/[^\s()?:]+)(?:\?[^\s():]*)?:(\d+)/

/** Where an error of a module came from: its first place outside of Node, libraries and Kyros, else the module itself. */
export function placeOfError(error: unknown, file: string): { place: Place; message: string } {
  const message = messageOf(error).split('\n')[0] ?? ''
  for (const line of stackOf(error).split('\n')) {
    const [, named, number] = stackPlace.exec(line) ?? []
    if (named === undefined) continue
    const path = named.startsWith('file:') ? fileURLToPath(named) : named
    const isForeign = path.includes('/node_modules/') || path.startsWith(import.meta.dirname)
    if (!isForeign) return { place: { file: path, line: Number(number) }, message }
  }
  return { place: { file, line: null }, message }
}
