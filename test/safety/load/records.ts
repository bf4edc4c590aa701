// What a process under test says of itself: one JSON line each, in a file that outlives it.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { Planned } from './plan.ts'

export type Record =
  /** The start of a run was acknowledged. */
  | { kind: 'start'; run: string; job: string; workflow: Planned; value: number; timeMs: number }
  /** A signal is about to be sent: it may arrive or not. */
  | { kind: 'sending'; run: string; signal: string; value: string }
  | { kind: 'signal'; run: string; signal: string; value: string }
  | { kind: 'cancel'; run: string }
  /** An update is about to be sent, whose id is its value. */
  | { kind: 'asking'; run: string; value: string }
  | { kind: 'update'; run: string; value: string; answer: unknown }
  /** The waitpoint of the run was answered, with the run's id. */
  | { kind: 'answer'; run: string }
  /** A start was answered with an error, which has this code. */
  | { kind: 'refused'; run: string; code: string; timeMs: number }
  /** A step's implementation was called. */
  | { kind: 'effect'; run: string; key: string; attempt: number; timeMs: number }
  /** A reader of the log saw these: number, number in the run, run, type. */
  | { kind: 'seen'; events: [number, number, string, string][] }

/** Each line is one write at the end of the file, so it survives a SIGKILL of the process; only the last may be cut. */
export function openRecords(file: string): { note(record: Record): void; close(): void } {
  const fd = openSync(file, 'a', 0o600)
  // Ends the line that an earlier life of the process could not end, and marks that a life ended there.
  writeSync(fd, '\n\n')
  return {
    note: (record) => void writeSync(fd, `${JSON.stringify(record)}\n`),
    close: () => closeSync(fd),
  }
}

export function readRecords(file: string): Record[] {
  return parseRecords(readFileSync(file, 'utf8'))
}

/** Leaves out a line that the end of a life cut off: it is followed by an empty line, or by nothing. */
export function parseRecords(text: string): Record[] {
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    if (line === '') return []
    try {
      return [JSON.parse(line)]
    } catch (error) {
      if ((lines[index + 1] ?? '') === '') return []
      throw error
    }
  })
}
