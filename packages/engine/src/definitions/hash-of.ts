import { createHash } from 'node:crypto'

/** Hash of a bundle, which is what a run executes. */
export function hashOf(source: string): string {
  return createHash('sha256').update(source).digest('hex')
}
