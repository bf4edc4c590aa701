import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Event, isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { RunRecord } from '@kyros/store/store'

/** A run as an earlier version left it: its record, its whole log, and the hash of the bundle it ended on. */
export type GoldenHistory = {
  readonly run: RunRecord
  readonly events: readonly Event[]
}

export type GoldenBundle = { readonly hash: string; readonly source: string }

export const goldenDir = join(import.meta.dirname, 'fixtures')
export const checksumFile = 'checksums.txt'

/** The names of the files, without the list of their checksums. */
export function goldenFiles(): string[] {
  return readdirSync(goldenDir)
    .filter((name) => name !== checksumFile)
    .toSorted()
}

export function checksumOf(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(goldenDir, name)))
    .digest('hex')
}

/** `<sha256>  <name>` on each line, as sha256sum prints it. */
export function checksums(): Map<string, string> {
  const lines = readFileSync(join(goldenDir, checksumFile), 'utf8').trim().split('\n')
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]))
}

export const isBundle = (name: string) => name.startsWith('bundle-')

export function readGolden<T extends GoldenHistory | GoldenBundle>(name: string): T {
  // Border cast: only `record-golden.ts` writes these files, and the checksums hold what it wrote.
  return JSON.parse(readFileSync(join(goldenDir, name), 'utf8')) as T
}

export function runEventsOf(events: readonly Event[]): RunEvent[] {
  return events.flatMap((event) => (isRunEvent(event) ? [event] : []))
}
