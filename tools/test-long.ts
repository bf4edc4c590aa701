// `npm run test:long [-- --only <name>,<name>]`: the safety checks at their full sizes, one after another. What they said
// goes into docs/safety-results.md, with the commit that it was said of; checks that did not run keep what they said before.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const resultFile = join(root, 'docs', 'safety-results.md')
const limitMs = 60 * 60_000
const maxShownLines = 30

type Check = { name: string; what: string; words: readonly string[] }

const crashes = 'test/safety/crash/run-crashes.ts'
const checks: readonly Check[] = [
  {
    name: 'crash-sqlite',
    what: '200 kills under load on SQLite',
    words: [crashes, '--rounds', '200', '--store', 'sqlite'],
  },
  {
    name: 'crash-postgres',
    what: '200 kills under load on PostgreSQL',
    words: [crashes, '--rounds', '200', '--store', 'postgres'],
  },
  {
    name: 'power',
    what: '1,000 losses of power',
    words: ['test/safety/power/run-power-loss.ts', '--points', '1000'],
  },
  {
    name: 'faults',
    what: 'A full disk, a clock that jumps, a restarted PostgreSQL, damaged files',
    words: ['test/safety/faults/run-faults.ts'],
  },
  {
    name: 'replicas',
    what: '20 kills and pauses of the orchestrator that holds the engine, one of three',
    words: ['test/safety/replicas/run-replicas.ts', '--rounds', '20'],
  },
  {
    name: 'simulation',
    what: '10,000 simulated worlds of crashes and outages',
    words: ['packages/engine/src/simulation/run-simulation.ts', '--seeds', '10000'],
  },
]

type Result = Check & {
  code: number
  seconds: number
  lines: string[]
  commit: string
  date: string
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const only = values.only?.split(',')
const chosen = checks.filter(({ name }) => only === undefined || only.includes(name))
if (chosen.length === 0) {
  console.error(`usage: npm run test:long [-- --only ${checks.map(({ name }) => name).join(',')}]`)
  process.exit(2)
}
const commit = git('rev-parse', 'HEAD')
const isChanged =
  git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!docs/safety-results.md') !== ''
const kept = join(root, '.cache', 'test-long')
mkdirSync(kept, { recursive: true })
const results: Result[] = []
for (const check of chosen) {
  console.log(`\n── ${check.what}`)
  const result = await run(check)
  results.push(result)
  writeFileSync(join(kept, `${check.name}.json`), JSON.stringify(result))
  writeFileSync(resultFile, report(checks.flatMap(keptResult)))
}
for (const { what, code, seconds, lines } of results) {
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${what}: ${lines.at(-1) ?? 'said nothing'} (${seconds} s)`)
}
process.exit(results.every(({ code }) => code === 0) ? 0 : 1)

function git(...words: string[]): string {
  return execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim()
}

/** Every check ends its own children when this process, and with it the pipe or the check itself, is gone. */
async function run(check: Check): Promise<Result> {
  const startedMs = Date.now()
  const child = spawn(process.execPath, [...check.words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopHere)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    process.stdout.write(chunk)
  })
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? 1)))
  process.off('exit', end)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stopHere)
  const seconds = Math.round((Date.now() - startedMs) / 1000)
  const lines = text.trim().split('\n')
  const date = new Date().toISOString().slice(0, 10)
  return { ...check, code, seconds, lines, commit: `${commit}${isChanged ? ' with changes' : ''}`, date }
}

/** Runs what waits for the exit. */
function stopHere(): void {
  process.exit(130)
}

function keptResult({ name }: Check): Result[] {
  const file = join(kept, `${name}.json`)
  // Written above, by this very program.
  return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8'))] : []
}

function report(all: readonly Result[]): string {
  const minutes = Math.ceil(all.reduce((sum, { seconds }) => sum + seconds, 0) / 60)
  const machine = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`
  return [
    '# Results of the long safety checks',
    '',
    `By \`npm run test:long\`, in ${minutes} minutes, on Linux ${release()}, Node ${process.version}, ${machine}. What is`,
    'checked, and how, stands in [safety.md](safety.md).',
    '',
    '| check | result | seconds | commit | date |',
    '|---|---|---|---|---|',
    ...all.map(({ what, lines, seconds, code, commit: of, date }) => {
      const result = `${code === 0 ? '' : '**failed**: '}${lines.at(-1) ?? ''}`
      return `| ${what} | ${result} | ${seconds} | ${of.slice(0, 12)}${of.slice(40)} | ${date} |`
    }),
    '',
    ...checks
      .filter(({ name }) => all.every((result) => result.name !== name))
      .map(({ what }) => `Not run: ${what}.\n`),
    ...all.flatMap((result) => section(result)),
  ].join('\n')
}

function section({ what, words, lines }: Result): string[] {
  const left = lines.length - maxShownLines
  const shown = left > 0 ? [`… ${left} lines before these`, ...lines.slice(-maxShownLines)] : lines
  return [`## ${what}`, '', '```', `$ node ${words.join(' ')}`, ...shown, '```', '']
}
