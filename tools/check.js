// `npm run check`: what must hold before every commit, in parallel; each failure names the page that explains the rule.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root, runtime } from './runtime.js'

const timeoutMs = 120_000

/** @param {...string} parts */
const modules = (...parts) => join(root, 'node_modules', ...parts)
/** @type {{name: string, page: string, args: string[], needs?: string}[]} */
const checks = [
  {
    name: 'format and lint',
    page: 'CONTRIBUTING.md#style',
    args: [modules('@biomejs/biome/bin/biome'), 'check', '.'],
  },
  {
    name: 'types',
    page: 'CONTRIBUTING.md#style',
    args: [modules('typescript/bin/tsc'), '--noEmit', '-p', '.'],
  },
  {
    name: 'types of the console',
    page: 'CONTRIBUTING.md#style',
    args: [modules('typescript/bin/tsc'), '--noEmit', '-p', 'console'],
    needs: 'console/tsconfig.json',
  },
  {
    name: 'types of the peers in the bench',
    page: 'CONTRIBUTING.md#style',
    args: [modules('typescript/bin/tsc'), '--noEmit', '-p', 'bench'],
    // Only the bench installs them.
    needs: 'bench/node_modules/@dbos-inc/dbos-sdk',
  },
  {
    name: 'arrows and tidiness',
    page: 'ARCHITECTURE.md#layers and CONTRIBUTING.md#style',
    args: [
      modules('vitest/vitest.mjs'),
      'run',
      '--project=unit',
      '--reporter=dot',
      'test/arrows',
      'test/tidy',
    ],
  },
  {
    name: 'unused code',
    page: 'CONTRIBUTING.md#unused-code',
    args: [modules('knip/bin/knip.js'), '--no-progress'],
  },
  {
    name: 'spelling',
    page: 'CONTRIBUTING.md#words',
    args: [modules('cspell/bin.mjs'), 'lint', '--no-progress', '--no-summary', '--gitignore', '.'],
  },
]

/** @param {(typeof checks)[number]} check @returns {Promise<{ok: boolean, seconds: number, output: string}>} */
function run(check) {
  const started = Date.now()
  const child = spawn(runtime, check.args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) =>
    child.on('close', (code) => resolve({ ok: code === 0, seconds: (Date.now() - started) / 1000, output })),
  )
}

const wanted = checks.filter((check) => !check.needs || existsSync(join(root, check.needs)))
const results = await Promise.all(
  wanted.map(async (check) => {
    const result = await run(check)
    console.log(`${result.ok ? 'ok  ' : 'FAIL'} ${check.name} (${result.seconds.toFixed(1)} s)`)
    return { check, ...result }
  }),
)
const failed = results.filter((result) => !result.ok)
for (const { check, output } of failed) {
  console.log(`\n── ${check.name} ──\n${output.trim()}\n\nWhat the rule is and why: ${check.page}`)
}
process.exitCode = failed.length > 0 ? 1 : 0
