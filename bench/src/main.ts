import { benchApi } from './api.ts'
import { type Figure, printTable } from './figures.ts'
import { benchStart } from './start.ts'

export type BenchOptions = { quick: boolean }

const benchmarks: Record<string, (options: BenchOptions) => Promise<Figure[]>> = {
  start: benchStart,
  api: benchApi,
  // Loads the peers' libraries, which the others do not need.
  engine: async (options) => (await import('../engine/bench-engine.ts')).benchEngine(options),
}

const usage = `usage: npm run bench -- <${Object.keys(benchmarks).join('|')}> [--quick] [--json]
example: npm run bench -- api --quick --json`

/** Runs one benchmark. With `--json` standard output holds one object and nothing else; progress goes to stderr. */
export async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith('--'))
  const benchmark = benchmarks[names[0] ?? '']
  if (benchmark === undefined || names.length !== 1) {
    process.stderr.write(`${usage}\n`)
    return 2
  }
  const figures = await benchmark({ quick: args.includes('--quick') })
  const output = args.includes('--json') ? JSON.stringify({ figures }) : printTable(figures)
  process.stdout.write(`${output}\n`)
  return 0
}
