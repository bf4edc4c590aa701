// The thread that owns the writing connection, so that no fsync ever holds up the serving loop.
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { toFailure } from '../outcome.ts'
import { decodeAll, type Wire } from '../wire.ts'
import { connectToWrite } from './connect.ts'
import { growLog } from './grow-log.ts'
import { isFull, outage } from './sqlite-error.ts'
import { encodeReply, type Reply } from './thread-reply.ts'
import { answeredAt, type Control, postedAt, stillLags, type WriterData } from './thread-signal.ts'
import { SqliteWriter } from './writer.ts'

type Message = Wire | Control

// The thread is started by thread-client.ts alone, with this.
const { port, signal } = workerData as WriterData

/** Where one write follows the other this closely, the thread waits for the next one awake. */
const awakeMs = 0.1
const lagCheckMs = 100

let writer: SqliteWriter | undefined
const inbox: Message[] = []
let taken = 0
let idleSince = performance.now()

port.on('message', (message: Message) => {
  const isInSequence = performance.now() - idleSince < awakeMs
  take(message)
  do {
    receiveAll()
    work()
  } while (inbox.length > 0 || (isInSequence && hasNext()))
  idleSince = performance.now()
})

const lagCheck = setInterval(projectIfDue, lagCheckMs)

function take(message: Message): void {
  taken++
  inbox.push(message)
}

function receiveAll(): void {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    take(next.message)
  }
}

/** Looks for the next message for a moment: to be woken up would take longer than the write itself. */
function hasNext(): boolean {
  const until = performance.now() + awakeMs
  while (Atomics.load(signal, postedAt) === taken) if (performance.now() > until) return false
  return true
}

function work(): void {
  const wires: Wire[] = []
  // What came while the last batch was on its way to the disk shares the next.
  while (Array.isArray(inbox[0])) wires.push(inbox.shift() as Wire) // As was just asked.
  const next = wires.length === 0 ? inbox.shift() : undefined
  if (next !== undefined && !Array.isArray(next)) control(next)
  else if (writer !== undefined) commit(writer, wires)
}

function commit(writer: SqliteWriter, wires: readonly Wire[]): void {
  const parts = wires.map(decodeAll)
  const outcomes = writer.apply(parts.flat())
  let from = 0
  for (const part of parts) {
    answer(encodeReply(writer.lags, outcomes.slice(from, from + part.length)))
    from += part.length
  }
  projectIfDue()
}

function control(asked: Control): void {
  if (asked === 'project') answer(project())
  else if (asked === 'close') {
    clearInterval(lagCheck)
    writer?.close()
    port.close()
  } else {
    growLog(asked.open)
    writer = new SqliteWriter(connectToWrite(asked.open))
    answer(project())
  }
}

/** Empty, `lags`, or the failure as JSON. */
function project(): string {
  try {
    writer?.project()
    return ''
  } catch (error) {
    // Nobody may read nothing because the disk is full: what the tables lack is at most the last moment before that.
    if (isFull(error)) return stillLags
    return JSON.stringify(toFailure(outage(error) ?? error))
  }
}

/** A failure is left to the next write or read, which meets it again and says so. */
function projectIfDue(): void {
  if (writer?.lagsFar) project()
}

function answer(reply: Reply | string): void {
  port.postMessage(reply)
  Atomics.add(signal, answeredAt, 1)
}
