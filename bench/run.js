// Installs this package's own dependencies on first use, then runs the benchmark named on the command line.
// Plain JavaScript, so that it starts under any Node; the benchmarks need the pinned one.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

const lockfile = readFileSync(join(here, 'package-lock.json'), 'utf8')
const installedPath = join(here, 'node_modules', '.installed-lock.json')
const isInstalled = existsSync(installedPath) && readFileSync(installedPath, 'utf8') === lockfile

if (!isInstalled) {
  process.stderr.write('bench: installing its dependencies\n')
  const installed = spawnSync('npm', ['ci', '--no-workspaces', '--ignore-scripts', '--silent'], {
    cwd: here,
    stdio: ['ignore', 2, 2],
  })
  if (installed.status !== 0) {
    process.stderr.write('bench: npm ci failed; its messages are above\n')
    process.exit(1)
  }
  writeFileSync(installedPath, lockfile)
}

const { main } = await import('./src/main.ts')
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`)
  // What a broken benchmark left running must not hold its end up; its children end with it.
  process.exit(1)
}
