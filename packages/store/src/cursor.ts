import { problem } from '@kyros/contract/problem'

type Part = string | number

/** Where a page ended: opaque to callers, and not tied to how many rows came before it. */
export function encodeCursor(parts: readonly Part[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** @throws cursor_invalid */
export function decodeCursor(cursor: string): readonly [number, string] {
  const [first, second, ...rest] = parse(cursor)
  if (typeof first !== 'number' || !Number.isSafeInteger(first)) throw invalid()
  if (typeof second !== 'string' || rest.length > 0) throw invalid()
  return [first, second]
}

function parse(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parts)) return parts
  } catch {
    // Falls through: whatever it is, it is no cursor of ours.
  }
  throw invalid()
}

function invalid() {
  return problem('cursor_invalid', {
    detail: 'Take `next_cursor` of the page before as it is, or start without one.',
  })
}
