// A process that runs one engine and does what its parent asks, one thing at a time. It ends with its parent.
import type { Contestant, Methods } from './answers.ts'

type Ask = { id: number; method: string; params: never }

const names = [
  'kyros',
  'restate',
  'dbos',
  'openworkflow',
  'temporal',
  'temporal-worker',
  'kyros-temporal',
  'kyros-temporal-worker',
]

const [name = '', options = '{}'] = process.argv.slice(2)
if (!names.includes(name) || process.send === undefined)
  throw new Error(`No contestant ${name}, or no parent`)
process.once('disconnect', () => process.exit(1))
// Computed: only the bench installs the peers, and nobody else can look at their types.
const { open }: { open(options: never): Promise<Contestant> } = await import(`./contestants/${name}.ts`)
// Border cast: the parent gives what the contestant's own `open` declares.
const contestant = await open(JSON.parse(options) as never)
process.on('message', (ask: Ask) => void answer(contestant.methods, ask))
process.send({ ready: true })

async function answer(methods: Methods, { id, method, params }: Ask): Promise<void> {
  try {
    if (method === 'close') {
      await contestant.close()
      process.send?.({ id, value: null }, () => process.exit(0))
      return
    }
    const value = await methods[method]?.(params)
    process.send?.({ id, value })
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}
