import type { Client } from 'pg'
import { applyCommands, isCollected } from '../apply-commands.ts'
import { Batch, type Lookups } from '../batch.ts'
import { fillsInbox } from '../command.ts'
import { continuedCode } from '../facts.ts'
import { Ledger } from '../ledger.ts'
import { type Outcome, toFailure } from '../outcome.ts'
import { prefetch } from '../prefetch.ts'
import { unavailable } from '../refusal.ts'
import { numberPlaceholders, type Row, runAsync, type Statement } from '../statement.ts'
import type { Decoded, HotAppend } from '../wire.ts'
import { connect } from './connect.ts'
import { isCollision, isDisconnected, outage } from './postgres-error.ts'
import { asValues } from './values.ts'

const maxTries = 6
/**
 * A process that hangs, or whose machine is gone without a word, may have numbered half a batch: the lock that it holds
 * would stop all others. The server ends its transaction; if it comes back it finds the connection broken.
 */
const maxIdleMs = 3_000
const reconnectForMs = 5_000
const firstDelayMs = 50
const maxDelayMs = 1_000

/** What was not prefetched is not there, and the database refuses what is there twice. */
const prefetched: Lookups = {
  run: () => undefined,
  isTaken: () => false,
  answer: () => undefined,
  leaseEpoch: () => 0,
  lastLine: () => 0,
}

/** The reply to COMMIT never came: what was in it may be there or not. */
class CommitLost extends Error {
  override readonly name = 'CommitLost'
}

/** The one connection of this process that writes. It is made when it is first needed, and again when it breaks. */
export class PostgresWriter {
  readonly #databaseUrl: string
  readonly #log: (level: 'info' | 'warn' | 'error', message: string) => void
  readonly #texts = new Map<string, { name: string; text: string }>()
  #client: Client | undefined
  #isClosed = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(databaseUrl: string, log: (level: 'info' | 'warn' | 'error', message: string) => void) {
    this.#databaseUrl = databaseUrl
    this.#log = log
  }

  /**
   * Commits in order. What is collected shares a transaction; the others have one of their own, because they lock
   * rows that a shared one could already be waiting behind.
   */
  apply(commands: readonly Decoded[]): Promise<Outcome[]> {
    // A caller that gave up waiting may ask again while the last batch is still under way on the one connection.
    const applied = this.#last.then(() => this.#applyAll(commands))
    this.#last = applied.catch(() => {})
    return applied
  }

  async #applyAll(commands: readonly Decoded[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for (const group of groups(commands)) outcomes.push(...(await this.#applyGroup(group)))
    return outcomes
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => {})
  }

  async #applyGroup(commands: readonly Decoded[]): Promise<Outcome[]> {
    try {
      return await this.#tryRepeatedly(commands)
    } catch (error) {
      const reason = error instanceof CommitLost ? commitLost(error) : outage(error)
      if (reason) return commands.map(() => ({ failure: toFailure(reason) }))
      if (commands.length === 1) return [{ failure: toFailure(error) }]
      // A statement broke the whole transaction: each command alone, so that only the one at fault fails.
      const outcomes: Outcome[] = []
      for (const command of commands) outcomes.push(...(await this.#applyGroup([command])))
      return outcomes
    }
  }

  async #tryRepeatedly(commands: readonly Decoded[]): Promise<Outcome[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#commit(commands)
      } catch (error) {
        const mayRepeat = isCollision(error) || (isDisconnected(error) && !(error instanceof CommitLost))
        if (!mayRepeat || attempt === maxTries || this.#isClosed) throw error
        // Collisions are taken apart sooner than they are repeated: one command alone collides less.
        if (isCollision(error) && commands.length > 1 && attempt > 2) throw error
        await new Promise((resolve) => setTimeout(resolve, Math.random() * firstDelayMs * attempt))
      }
    }
  }

  async #commit(commands: readonly Decoded[]): Promise<Outcome[]> {
    const client = await this.#connected()
    const transaction = new Transaction(client, this.#texts)
    const batch = new Batch(new Ledger('postgres'), prefetched)
    try {
      transaction.send({ sql: 'BEGIN', params: [] })
      await runAsync(prefetch(batch, commands), (statement) => transaction.run(statement))
      const outcomes = await runAsync(applyCommands(batch, commands), (statement) =>
        transaction.run(statement),
      )
      await transaction.settled()
      await this.#end(client, topicsOf(commands))
      return outcomes
    } catch (error) {
      await this.#abandon(client, transaction, error)
      throw error
    }
  }

  /** From here on a broken connection leaves the outcome unknown. */
  async #end(client: Client, topics: string): Promise<void> {
    try {
      await client.query(`NOTIFY kyros, '${topics}'; COMMIT`)
    } catch (error) {
      if (isDisconnected(error)) throw new CommitLost('The commit was not answered', { cause: error })
      throw error
    }
  }

  async #abandon(client: Client, transaction: Transaction, error: unknown): Promise<void> {
    await transaction.settled().catch(() => {})
    const isLost = isDisconnected(error) || error instanceof CommitLost
    const rolledBack =
      !isLost &&
      (await client.query('ROLLBACK').then(
        () => true,
        () => false,
      ))
    if (rolledBack) return
    if (this.#client === client) this.#client = undefined
    client.end().catch(() => {})
  }

  async #connected(): Promise<Client> {
    const started = performance.now()
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
      if (this.#isClosed) throw unavailable('The store is closed.')
      if (this.#client) return this.#client
      try {
        this.#client = await this.#connect()
      } catch (error) {
        if (performance.now() - started > reconnectForMs) throw error
        await new Promise((resolve) => setTimeout(resolve, delayMs))
      }
    }
  }

  async #connect(): Promise<Client> {
    const client = await connect(
      this.#databaseUrl,
      (lost, error) => {
        if (this.#client !== lost) return
        this.#client = undefined
        if (!this.#isClosed) this.#log('warn', `The writing connection to PostgreSQL broke: ${String(error)}`)
      },
      { pipeline: true, idle_in_transaction_session_timeout: maxIdleMs },
    )
    // An acknowledged write is on disk, whatever the server's default says.
    await client.query(`SELECT CASE WHEN current_setting('synchronous_commit') = 'off'
      THEN set_config('synchronous_commit', 'on', false) END`)
    return client
  }
}

/** One transaction's statements. Those that nobody waits for are sent at once and looked at before the commit. */
class Transaction {
  readonly #client: Client
  readonly #texts: Map<string, { name: string; text: string }>
  #blind: Promise<unknown>[] = []
  #isGathering = false

  constructor(client: Client, texts: Map<string, { name: string; text: string }>) {
    this.#client = client
    this.#texts = texts
  }

  async run(statement: Statement): Promise<readonly Row[]> {
    if (statement.blind) {
      this.send(statement)
      return []
    }
    try {
      return (await this.#query(statement)).rows
    } catch (error) {
      // After the first error the server refuses everything else; the first one says what was wrong.
      await this.settled()
      throw error
    }
  }

  send(statement: Statement): void {
    const sent = this.#query(statement)
    sent.catch(() => {})
    this.#blind.push(sent)
  }

  async settled(): Promise<void> {
    const blind = this.#blind
    this.#blind = []
    for (const sent of blind) await sent
  }

  #query({ sql, params, lock }: Statement) {
    this.#gather()
    return this.#client.query({ ...this.#textOf(sql, lock === true), values: asValues(params) })
  }

  /** What is sent in one turn leaves in one piece: each piece is a system call here and wakes the server there. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const { stream } = this.#client.connection
    stream.cork()
    process.nextTick(() => {
      this.#isGathering = false
      stream.uncork()
    })
  }

  /** Named, so that the server parses and plans each text once per connection. */
  #textOf(sql: string, lock: boolean): { name: string; text: string } {
    const key = lock ? `${sql} FOR UPDATE` : sql
    const known = this.#texts.get(key)
    if (known) return known
    const text = { name: `kyros_${this.#texts.size}`, text: numberPlaceholders(key) }
    this.#texts.set(key, text)
    return text
  }
}

function groups(commands: readonly Decoded[]): Decoded[][] {
  const all: Decoded[][] = []
  let current: Decoded[] | undefined
  for (const command of commands) {
    const isShared = isCollected(command)
    if (isShared && current) current.push(command)
    else all.push([command])
    current = isShared ? all.at(-1) : undefined
  }
  return all
}

/** What other processes are told; a hint, and a constant text that needs no quoting. */
function topicsOf(commands: readonly Decoded[]): string {
  const topics = new Set(['events'])
  for (const decoded of commands) {
    if (decoded.kind === 'lines') topics.add('logs')
    else if (decoded.kind === 'submit' && decoded.submission.announce) topics.add('inbox')
    else if (decoded.kind === 'append' && mayHandOver(decoded.append)) topics.add('inbox')
    else if (decoded.kind === 'many' && decoded.appends.some(mayHandOver)) topics.add('inbox')
    else if (decoded.kind === 'cold') {
      const { kind } = decoded.command
      if (fillsInbox(decoded.command)) topics.add('inbox')
      else if (kind === 'append_stream') topics.add('streams')
      else if (kind === 'rotate_session' || kind.startsWith('revoke_')) topics.add('revocations')
    }
  }
  return [...topics].join(' ')
}

/** Whether a run may go to another engine with these events. */
function mayHandOver({ facts }: HotAppend): boolean {
  return facts.codes.includes(continuedCode)
}

function commitLost(error: CommitLost) {
  return unavailable(
    'The database did not answer the commit, so it may be stored or not. Try again with the same Idempotency-Key.',
    error,
  )
}
