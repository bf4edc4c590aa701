// `npm run test:long [-- --only <name>,<name>]`: the safety checks at their full sizes, one after another. What they said
// goes into docs/safety-results.md, with the commit that it was said of; checks that did not run keep what they said before.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
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
    name: 'replicas-temporal',
    what: '20 rounds of kills among three orchestrators and two workers on one Temporal',
    words: ['test/safety/replicas/run-temporal-replicas.ts', '--rounds', '20'],
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
const results: Result[] = []
for (const check of chosen) {
  console.log(`\n── ${check.what}`)
  const result = await run(check)
  results.push(result)
  // Read again: another check may have ended meanwhile.
  const said = existsSync(resultFile) ? readFileSync(resultFile, 'utf8') : ''
  writeFileSync(
    resultFile,
    report(checks.flatMap((one) => (one === check ? shownOf(result) : keptIn(said, one)))),
  )
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

/** What the document says of one check. */
type Shown = { what: string; row: string; section: string; seconds: number }

function shownOf({ what, words, lines, seconds, code, commit: of, date }: Result): Shown {
  const said = `${code === 0 ? '' : '**failed**: '}${lines.at(-1) ?? ''}`
  const left = lines.length - maxShownLines
  const shown = left > 0 ? [`… ${left} lines before these`, ...lines.slice(-maxShownLines)] : lines
  return {
    what,
    row: `| ${what} | ${said} | ${seconds} | ${of.slice(0, 12)}${of.slice(40)} | ${date} |`,
    section: [`## ${what}`, '', '```', `$ node ${words.join(' ')}`, ...shown, '```'].join('\n'),
    seconds,
  }
}

/** The same from the document as it is. */
function keptIn(text: string, { what }: Check): Shown[] {
  const row = text.split('\n').find((line) => line.startsWith(`| ${what} |`))
  const [, after] = text.split(`\n## ${what}\n`)
  const [rest] = after?.split('\n## ') ?? []
  if (row === undefined || rest === undefined) return []
  return [{ what, row, section: `## ${what}\n${rest.trimEnd()}`, seconds: Number(row.split(' | ')[2]) }]
}

function report(all: readonly Shown[]): string {
  const minutes = Math.ceil(all.reduce((sum, { seconds }) => sum + seconds, 0) / 60)
  const machine = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`
  const known = new Set(all.map(({ what }) => what))
  return [
    '# Results of the long safety checks',
    '',
    `By \`npm run test:long\`, in ${minutes} minutes, on Linux ${release()}, Node ${process.version}, ${machine}. What is`,
    'checked, and how, stands in [safety.md](safety.md).',
    '',
    '| check | result | seconds | commit | date |',
    '|---|---|---|---|---|',
    ...all.map(({ row }) => row),
    '',
    ...checks.filter(({ what }) => !known.has(what)).map(({ what }) => `Not run: ${what}.\n`),
    ...all.map(({ section }) => `${section}\n`),
  ].join('\n')
}
