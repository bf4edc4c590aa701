// The thread for queries that may look at every row of a table, so that no search ever holds up the serving loop.
import { workerData } from 'node:worker_threads'
import { connectToRead } from './connect.ts'
import { prepareReads } from './prepared-reads.ts'
import type { ReaderData, ReaderQuery, ReaderReply } from './reader-client.ts'

// The thread is started by reader-client.ts alone, with this.
const { port, file } = workerData as ReaderData

const read = prepareReads(connectToRead(file))

port.on('message', ({ sql, parameters }: ReaderQuery) => {
  let reply: ReaderReply
  try {
    reply = { rows: read(sql).all(...parameters) }
  } catch (error) {
    reply = { error }
  }
  port.postMessage(reply)
})
