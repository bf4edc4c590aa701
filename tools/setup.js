// Does all set-up that `npm start` and `npm test` need, and nothing when there is nothing to do.
// Plain JavaScript for Node 20 and later: it runs before the pinned Node is installed.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  consoleFiles,
  contentHash,
  installKey,
  isInstalled,
  linkPinnedNode,
  pinnedNode,
  readStamps,
  statHash,
  takeLock,
  writeStamps,
} from './setup-state.js'

/** The checks need the packages and not the built console. */
const installOnly = process.argv.includes('--install-only')
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const installTimeoutMs = 20 * 60_000
const buildTimeoutMs = 5 * 60_000
const lockTimeoutMs = installTimeoutMs + buildTimeoutMs
const stopTimeoutMs = 4_000
const maxOutputBytes = 64 * 1024

class SetupError extends Error {}

/** @param {string} line */
const say = (line) => process.stderr.write(`setup: ${line}\n`)
/** @param {number} sinceMs */
const seconds = (sinceMs) => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`

/** What npm's output means for the person in front of it. @type {[RegExp, string][]} */
const explanations = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|network/,
    'The package registry cannot be reached. Check the network or proxy (`npm config get registry`, `npm ping`), then run the same command again.',
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY_LEAF|GET_ISSUER)|CERT_HAS_EXPIRED/,
    "The package registry's certificate is not trusted here. Behind a proxy that opens TLS, name its certificate: `export NODE_EXTRA_CA_CERTS=/path/to/ca.pem`, then run the same command again.",
  ],
  [/ENOSPC/, `The disk is full. Set-up needs about 1.5 GB free in ${root} and in npm's cache.`],
  [
    /EACCES|EPERM|EROFS/,
    `A file cannot be written. Check who owns ${root} and npm's cache (\`npm config get cache\`).`,
  ],
  [/EUSAGE|in sync/, 'package.json and package-lock.json disagree. Run `npm install` and commit both.'],
  [/EINTEGRITY/, 'A downloaded package is damaged. Run `npm cache verify`, then the same command again.'],
  [/E401|E403/, 'The package registry refuses access. Check `npm config get registry` and its credentials.'],
]

/**
 * Runs npm and ends with it: when this process is told to stop, or its parent is gone, the whole group goes too.
 * @param {string[]} args
 * @param {number} timeoutMs
 * @returns {Promise<{code: number, output: string}>}
 */
function runNpm(args, timeoutMs) {
  const viaNpm = process.env.npm_execpath
  const known = viaNpm !== undefined && basename(viaNpm) === 'npm-cli.js'
  const command = known ? process.execPath : process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const child = spawn(command, known ? [viaNpm, ...args] : args, {
    cwd: root,
    env: { ...process.env, IBM_TELEMETRY_DISABLED: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    shell: !known && process.platform === 'win32',
  })
  return watch(child, timeoutMs)
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {number} timeoutMs
 * @returns {Promise<{code: number, output: string}>}
 */
function watch(child, timeoutMs) {
  let output = ''
  /** @param {Buffer} chunk */
  const collect = (chunk) => {
    output = (output + chunk).slice(-maxOutputBytes)
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  let isQuitting = false
  /** @param {NodeJS.Signals} signal */
  const stop = (signal) => {
    try {
      if (child.pid) process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal)
    } catch {
      // It ended by itself in the meantime.
    }
  }
  const stopSoon = () => {
    stop('SIGTERM')
    setTimeout(() => stop('SIGKILL'), stopTimeoutMs).unref()
  }
  const quit = () => {
    isQuitting = true
    stopSoon()
  }
  const parent = process.ppid
  const orphanCheck = setInterval(() => process.ppid !== parent && quit(), 500)
  const deadline = setTimeout(() => {
    collect(Buffer.from(`\nstopped after ${timeoutMs / 60_000} minutes`))
    stopSoon()
  }, timeoutMs)
  process.once('SIGINT', quit).once('SIGTERM', quit)
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new SetupError(`npm cannot be started: ${error.message}`)))
    child.on('close', (code) => {
      if (isQuitting) process.exit(130)
      resolve({ code: code ?? 1, output })
    })
  }).finally(() => {
    clearInterval(orphanCheck)
    clearTimeout(deadline)
    process.off('SIGINT', quit).off('SIGTERM', quit)
  })
}

/** @param {string} what @param {string} output */
function failure(what, output) {
  const lines = output.trim().split('\n').filter(Boolean)
  const reason = explanations.find(([pattern]) => pattern.test(output))?.[1]
  const tail = lines.slice(-12).map((line) => `  ${line}`)
  return new SetupError([`${what} failed.`, ...(reason ? [reason] : []), ...tail].join('\n'))
}

async function install() {
  const started = Date.now()
  say('installing packages (about 400 MB, only when the lockfile changed) …')
  // NODE_ENV=production or an `omit` in a user's .npmrc must not leave out the pinned Node or the console's builder.
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--prefer-offline']
  const { code, output } = await runNpm(
    [...args, '--loglevel=error', '--no-audit', '--no-fund'],
    installTimeoutMs,
  )
  if (code !== 0) throw failure('`npm ci`', output)
  say(`packages installed in ${seconds(started)}`)
}

/** Says so at once when the pinned Node does not run here (musl, an unusual processor) and no other will do. */
function checkRuntime() {
  const answer = spawnSync(pinnedNode(root), ['--version'], {
    timeout: 10_000,
    shell: process.platform === 'win32',
  })
  if (answer.status === 0 || Number(process.versions.node.split('.')[0]) >= 24) return
  throw new SetupError(
    `The pinned Node does not run on ${process.platform}-${process.arch}. Install Node 24 or later and run the same command again.`,
  )
}

/** @param {ReturnType<typeof readStamps>} stamps @param {string[]} files */
function consoleState(stamps, files) {
  const stat = statHash(root, files)
  const isBuilt = existsSync(join(root, 'console', 'dist', 'index.html'))
  return { stat, isFresh: isBuilt && stamps.console?.stat === stat, isBuilt }
}

/** There is nothing to build before the console has its page. */
const hasConsole = () => !installOnly && existsSync(join(root, 'console', 'index.html'))

/** @param {ReturnType<typeof readStamps>} stamps */
async function buildConsole(stamps) {
  const files = consoleFiles(root)
  const { stat, isFresh, isBuilt } = consoleState(stamps, files)
  if (isFresh) return stamps.console
  const content = contentHash(root, files)
  if (isBuilt && stamps.console?.content === content) return { stat, content }
  const started = Date.now()
  const { code, output } = await runNpm(['run', '-s', 'build', '-w', 'console'], buildTimeoutMs)
  if (code !== 0) throw failure('Building the console', output)
  say(`console built in ${seconds(started)}`)
  return { stat, content }
}

/** @param {ReturnType<typeof readStamps>} stamps */
function isDone(stamps) {
  if (stamps.install !== installKey(root)) return false
  return !hasConsole() || consoleState(stamps, consoleFiles(root)).isFresh
}

async function lockTree() {
  const deadline = Date.now() + lockTimeoutMs
  for (let isFirst = true; Date.now() < deadline; isFirst = false) {
    const lock = takeLock(root)
    if (lock.held) return lock.release
    if (isFirst) say(`another set-up is running (process ${lock.pid}), waiting for it`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new SetupError('Another set-up has not ended. Stop it, or remove .cache/setup.lock, and try again.')
}

async function setUp() {
  if (isDone(readStamps(root))) return
  const release = await lockTree()
  process.once('exit', release)
  let stamps = readStamps(root)
  if (stamps.install !== installKey(root)) {
    if (!isInstalled(root)) await install()
    linkPinnedNode(root)
    checkRuntime()
    stamps = { ...stamps, install: installKey(root) }
    writeStamps(root, stamps)
  }
  if (hasConsole()) writeStamps(root, { ...stamps, console: await buildConsole(stamps) })
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 20)
    throw new SetupError(
      `Node ${process.versions.node} is too old to install Kyros; it needs Node 20 or later.`,
    )
  const lock = join(root, 'package-lock.json')
  if (!existsSync(lock) || readFileSync(lock).length === 0) {
    throw new SetupError(
      'package-lock.json is missing. Take it from the repository: `git checkout package-lock.json`.',
    )
  }
}

try {
  checkNode()
  await setUp()
} catch (error) {
  if (error instanceof SetupError) say(error.message)
  else if (error instanceof Error)
    say(
      failure('Set-up', `${/** @type {NodeJS.ErrnoException} */ (error).code ?? ''} ${error.message}`)
        .message,
    )
  process.exitCode = 1
}
