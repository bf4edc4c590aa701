// The thread that owns the writing connection, so that no fsync ever holds up the serving loop.
import { parentPort, workerData } from 'node:worker_threads'
import type { Command } from '../command.ts'
import { connectToWrite } from './connect.ts'
import { SqliteWriter } from './writer.ts'

const port = parentPort
if (port === null) throw new Error('This file runs as a worker thread')

const writer = new SqliteWriter(connectToWrite(String(workerData)))

port.on('message', (message: string) => {
  if (message === 'close') {
    writer.close()
    port.close()
    return
  }
  const commands: Command[] = JSON.parse(message)
  port.postMessage(JSON.stringify(writer.apply(commands)))
})
port.postMessage('ready')
