// The thread that owns the writing connection, so that no fsync ever holds up the serving loop.
import { parentPort } from 'node:worker_threads'
import type { Command } from '../command.ts'
import { connectToWrite } from './connect.ts'
import { SqliteWriter } from './writer.ts'

const port = parentPort
if (port === null) throw new Error('This file runs as a worker thread')

let writer: SqliteWriter | undefined

// First the file, then batches of commands, and at last `close`. Each but the last is answered once.
port.on('message', (message: string) => {
  if (message === 'close') {
    writer?.close()
    port.close()
  } else if (writer === undefined) {
    writer = new SqliteWriter(connectToWrite(message))
    port.postMessage('ready')
  } else {
    const commands: Command[] = JSON.parse(message)
    port.postMessage(JSON.stringify(writer.apply(commands)))
  }
})
