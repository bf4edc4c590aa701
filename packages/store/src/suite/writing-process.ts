// A process of its own that writes: `node writing-process.ts <data directory> [database URL]`. Each acknowledged
// event is one line on stdout, so that a test can kill it at any moment and compare.
import { openStore } from '../open-store.ts'

const startMs = Date.UTC(2026, 0, 1)

const [dataDir = ':memory:', databaseUrl, countText = '1000000', name = 'tick'] = process.argv.slice(2)
const parallel = 16

const store = await openStore({ dataDir, ...(databaseUrl && databaseUrl !== '-' && { databaseUrl }) })
let left = Number(countText)

async function write(): Promise<void> {
  while (left-- > 0) {
    const event = { type: name, subject: `process/${process.pid}`, timeMs: startMs, data: {} }
    const written = await store.write({ kind: 'append_event', event })
    if ('seq' in written) process.stdout.write(`${written.seq}\n`)
  }
}

process.stdout.write('open\n')
await Promise.all(Array.from({ length: parallel }, write))
await store.close()
