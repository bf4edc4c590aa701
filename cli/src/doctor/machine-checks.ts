import { accessSync, constants, existsSync, mkdirSync, statfsSync, statSync } from 'node:fs'
import { freemem } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Check, type Finding, outputOf } from './check.ts'

const oldestNode = 24
const fullBelowBytes = 200 * 1024 ** 2
const tightBelowBytes = 2 * 1024 ** 3
const memoryTightBelowBytes = 400 * 1024 ** 2
const packageFile = fileURLToPath(new URL('../../package.json', import.meta.url))
const consolePage = fileURLToPath(new URL('../../../console/dist/index.html', import.meta.url))

export const runtime: Check = async () => {
  const name = 'runtime'
  const { node } = process.versions
  if (Number(node.split('.')[0]) < oldestNode) {
    const mend = 'npm ci  (installs the Node that Kyros needs)'
    return [{ name, status: 'fault', detail: `Node ${node} is too old`, mend }]
  }
  return [{ name, status: 'ok', detail: `Node ${node} on ${process.platform} ${process.arch}` }]
}

export const memory: Check = async () => {
  const name = 'memory'
  const free = freemem()
  const detail = `${gigabytes(free)} free`
  return free < memoryTightBelowBytes
    ? [{ name, status: 'warning', detail, mend: 'Close other programs, or give the machine more memory.' }]
    : [{ name, status: 'ok', detail }]
}

export const disk: Check = async ({ dataDir }) => {
  const name = 'disk'
  const place = nearestExisting(dataDir ?? process.cwd())
  const { bavail, bsize } = statfsSync(place)
  const free = bavail * bsize
  const detail = `${gigabytes(free)} free at ${place}`
  if (free < fullBelowBytes) {
    return [
      { name, status: 'fault', detail, mend: 'Free some space, or keep the data elsewhere with --data.' },
    ]
  }
  return free < tightBelowBytes
    ? [{ name, status: 'warning', detail, mend: 'Large repositories may not fit: free some space.' }]
    : [{ name, status: 'ok', detail }]
}

export const dataDirectory: Check = async ({ dataDir }) => {
  const name = 'data directory'
  if (dataDir === undefined) return [{ name, status: 'ok', detail: 'in memory' }]
  const place = nearestExisting(dataDir)
  try {
    accessSync(place, constants.W_OK | constants.X_OK)
    if (place === dataDir) mkdirSync(dataDir, { recursive: true })
    return [
      { name, status: 'ok', detail: place === dataDir ? dataDir : `${dataDir} (made at the first start)` },
    ]
  } catch {
    const mend = `sudo chown -R "$USER" ${place}  (or choose another with --data)`
    return [{ name, status: 'fault', detail: `${place} cannot be written to`, mend }]
  }
}

/** Tokens and timers depend on the time of day; a clock that lags behind our own files is certainly wrong. */
export const clock: Check = async () => {
  const name = 'clock'
  const nowMs = Date.now()
  const time = new Date(nowMs).toISOString()
  if (nowMs < statSync(packageFile).mtimeMs - 60_000) {
    const mend = 'sudo timedatectl set-ntp true'
    return [{ name, status: 'fault', detail: `${time} is before Kyros was installed`, mend }]
  }
  const synchronised = await outputOf('timedatectl', ['show', '--property=NTPSynchronized', '--value'])
  return synchronised === 'no'
    ? [
        {
          name,
          status: 'warning',
          detail: `${time}, not synchronised`,
          mend: 'sudo timedatectl set-ntp true',
        },
      ]
    : [{ name, status: 'ok', detail: time }]
}

export const git: Check = async () => {
  const name = 'git'
  const text = await outputOf('git', ['--version'])
  return text === undefined
    ? [{ name, status: 'fault', detail: 'not found', mend: installCommand('git') }]
    : [{ name, status: 'ok', detail: text.replace(/^git version /, '') }]
}

export const sandbox: Check = async () => {
  const name = 'sandbox'
  const install: Finding = {
    name,
    status: 'warning',
    detail: 'bubblewrap is not installed; workflows that run code will need it, code_analysis does not',
    mend: installCommand('bubblewrap'),
  }
  if (process.platform !== 'linux') return [install]
  const version = await outputOf('bwrap', ['--version'])
  if (version === undefined) return [install]
  const works = await outputOf('bwrap', ['--ro-bind', '/', '/', '--unshare-all', 'true'])
  if (works !== undefined) return [{ name, status: 'ok', detail: version }]
  const mend = 'sudo sysctl kernel.unprivileged_userns_clone=1  (containers: allow user namespaces)'
  return [{ name, status: 'warning', detail: `${version} cannot make a user namespace here`, mend }]
}

export const consoleBuild: Check = async () => {
  const name = 'console'
  return existsSync(consolePage)
    ? [{ name, status: 'ok', detail: 'built' }]
    : [
        {
          name,
          status: 'warning',
          detail: 'not built; the API works without it',
          mend: 'npm run -s prestart',
        },
      ]
}

function installCommand(name: string): string {
  if (process.platform === 'darwin') return `brew install ${name}`
  if (existsSync('/usr/bin/dnf')) return `sudo dnf install ${name}`
  return existsSync('/sbin/apk') ? `apk add ${name}` : `sudo apt-get install ${name}`
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path))
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`
}
