// A process that runs one engine and does what its parent asks, one thing at a time. It ends with its parent.
import type { Contestant, Methods } from './answers.ts'

type Ask = { id: number; method: string; params: never }

const openers: Record<string, () => Promise<{ open(options: never): Promise<Contestant> }>> = {
  kyros: () => import('./contestants/kyros.ts'),
  restate: () => import('./contestants/restate.ts'),
  dbos: () => import('./contestants/dbos.ts'),
  openworkflow: () => import('./contestants/openworkflow.ts'),
}

const [name = '', options = '{}'] = process.argv.slice(2)
const opener = openers[name]
if (opener === undefined || process.send === undefined) throw new Error(`No contestant ${name}, or no parent`)
process.once('disconnect', () => process.exit(1))
const { open } = await opener()
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
