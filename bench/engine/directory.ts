import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const tmpfsMagic = 0x01021994

/** A directory on a disk: on a file system in memory nothing would be durable and every figure wrong. */
export function makeBenchDirectory(): { path: string; remove: () => void } {
  const base = statfsSync(tmpdir()).type === tmpfsMagic ? '/var/tmp' : tmpdir()
  const path = mkdtempSync(join(base, 'kyros-bench-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
