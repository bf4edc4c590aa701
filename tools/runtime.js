// The Node that tools start: the pinned one where it is installed, else the one at hand.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root directory. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const pinned = join(root, 'node_modules', '.bin', 'node')

/** The path of the Node to start children with. */
export const runtime = process.platform !== 'win32' && existsSync(pinned) ? pinned : process.execPath
