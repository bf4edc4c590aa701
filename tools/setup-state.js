// What set-up knows about the tree, without starting anything. Runs on Node 20, before any package is there.
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const consoleSources = ['console', 'packages/contract', 'packages/client', 'package-lock.json']
const ignoredNames = new Set(['node_modules', 'dist', 'coverage'])
const testFile = /\.(test|e2e)\.tsx?$/

/** @param {string} path */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** @param {string} path */
function statKey(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat ? `${stat.size}:${stat.mtimeMs}` : 'absent'
}

/**
 * The stamps of the last set-up; empty when there was none.
 * @param {string} root
 * @returns {{install?: string, console?: {stat: string, content: string}}}
 */
export function readStamps(root) {
  return readJson(join(root, '.cache', 'setup.json')) ?? {}
}

/**
 * Replaces the stamps in one rename, so that a reader never sees half a file.
 * @param {string} root
 * @param {object} stamps
 */
export function writeStamps(root, stamps) {
  const path = join(root, '.cache', 'setup.json')
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, JSON.stringify(stamps))
  renameSync(draft, path)
}

/**
 * Changes when the lockfile or the installed tree changed; two stats, no reads.
 * @param {string} root
 */
export function installKey(root) {
  const lock = statKey(join(root, 'package-lock.json'))
  const installed = statKey(join(root, 'node_modules', '.package-lock.json'))
  return `${lock} ${installed} ${existsSync(pinnedNode(root))}`
}

/**
 * Where npm scripts find the pinned Node.
 * @param {string} root
 */
export function pinnedNode(root) {
  return join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
}

/**
 * Makes the link that npm 10 leaves out: it gives up on a command that the packages of several platforms bring.
 * @param {string} root
 */
export function linkPinnedNode(root) {
  if (existsSync(pinnedNode(root)) || process.platform === 'win32') return
  const names = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`]
  const name = names.find((candidate) => existsSync(join(root, 'node_modules', candidate, 'bin', 'node')))
  if (!name) return
  rmSync(pinnedNode(root), { force: true })
  symlinkSync(join('..', name, 'bin', 'node'), pinnedNode(root))
}

/**
 * Whether every package of the lockfile is installed in that version, judged by npm's own record of the tree.
 * Someone who ran `npm install` by hand is then not made to wait for a second one.
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (!wanted || !installed || !existsSync(join(root, 'node_modules', '.bin'))) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true
    const found = installed[path]
    // Packages for other platforms and unmet optional peers are in the lockfile and not in the tree.
    if (!found) return entry.optional === true || entry.devOptional === true || entry.peer === true
    return found.version === entry.version && found.integrity === entry.integrity
  })
}

/**
 * The files the console is built from, relative to the root, sorted.
 * @param {string} root
 */
export function consoleFiles(root) {
  /** @type {string[]} */
  const files = []
  /** @param {string} path */
  const visit = (path) => {
    const stat = statSync(join(root, path), { throwIfNoEntry: false })
    if (stat?.isFile()) files.push(path)
    if (!stat?.isDirectory()) return
    for (const name of readdirSync(join(root, path))) {
      if (!ignoredNames.has(name) && !testFile.test(name)) visit(`${path}/${name}`)
    }
  }
  for (const path of consoleSources) visit(path)
  return files.sort()
}

/**
 * A hash of paths, sizes and times: cheap, and changes whenever the content could have.
 * @param {string} root
 * @param {string[]} files
 */
export function statHash(root, files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file} ${statKey(join(root, file))}\n`)
  return hash.digest('hex')
}

/**
 * A hash of paths and content: tells a touched file from a changed one.
 * @param {string} root
 * @param {string[]} files
 */
export function contentHash(root, files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/**
 * Whether a process of this number runs, ours or another's.
 * @param {number} pid
 */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/**
 * Takes the set-up lock of this tree, or says which process holds it. A lock whose process is gone is taken over.
 * @param {string} root
 * @returns {{held: true, release: () => void} | {held: false, pid: number}}
 */
export function takeLock(root) {
  const path = join(root, '.cache', 'setup.lock')
  mkdirSync(dirname(path), { recursive: true })
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return { held: true, release: () => rmSync(path, { force: true }) }
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    }
    const pid = Number(readFileSync(path, 'utf8').trim() || 0)
    // An empty file belongs to a process between its two system calls, or to one that died there: look at its age.
    const ageMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    if (pid === 0 ? ageMs < 2000 : isAlive(pid)) return { held: false, pid }
    rmSync(path, { force: true })
  }
  return { held: false, pid: 0 }
}
