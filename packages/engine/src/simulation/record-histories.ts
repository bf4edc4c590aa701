// Lives through seeded worlds and prints their runs as lines of JSON, for `conform`: a program of its own, because the
// simulation replaces its globals.
import { parseArgs } from 'node:util'
import { readConformHistory } from '../temporal/read-conform-history.ts'
import { prepareCatalogue } from './catalogue.ts'
import { simulate } from './simulate.ts'
import { replaceGlobals } from './world-globals.ts'

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '24' }, first: { type: 'string', default: '1' } },
})

const catalogue = await prepareCatalogue()
replaceGlobals()
const first = Number(values.first)
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const lines: string[] = []
  await simulate(seed, {
    catalogue,
    onEnd: async (store) => {
      for (const { id, definition } of (await store.runs.list({ limit: 200 })).items) {
        if (definition === '') continue
        lines.push(JSON.stringify({ seed, history: await readConformHistory(store, id) }))
      }
    },
  })
  for (const line of lines) process.stdout.write(`${line}\n`)
}
