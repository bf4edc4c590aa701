import { answerKey, type Batch } from './batch.ts'
import type { Command, Idempotency } from './command.ts'
import { answersKeptMs } from './commands/prune-answers.ts'
import { entryColumns, entryFromRow } from './run-entry.ts'
import { int, type Steps, text } from './statement.ts'

/**
 * Reads in two statements what a batch of commands on PostgreSQL will ask for one by one. Runs are locked in the
 * order of their ids, so that two processes never wait for each other.
 */
export function* prefetch(batch: Batch, commands: readonly Command[]): Steps<void> {
  const runIds = new Set(commands.flatMap(runsOf))
  if (runIds.size > 0) {
    const rows = yield {
      sql: `SELECT ${entryColumns} FROM runs WHERE id = ANY(?::text[]) ORDER BY id`,
      params: [[...runIds]],
      lock: true,
    }
    for (const row of rows) batch.runs.set(text(row, 'id'), entryFromRow(row))
  }
  const asked = commands.flatMap((command) =>
    'idempotency' in command && command.idempotency ? [command.idempotency] : [],
  )
  if (asked.length > 0) yield* prefetchAnswers(batch, asked)
}

function runsOf(command: Command): string[] {
  if (command.kind === 'append_many') return command.appends.map(({ runId }) => runId)
  return 'runId' in command ? [command.runId] : []
}

function* prefetchAnswers(batch: Batch, asked: readonly Idempotency[]): Steps<void> {
  const rows = yield {
    sql: `SELECT i.principal, i.route, i.key, i.fingerprint, i.status, i.response, i.created_ms FROM idempotency i
      JOIN unnest(?::text[], ?::text[], ?::text[]) AS n (key, principal, route)
      ON i.key = n.key AND i.principal = n.principal AND i.route = n.route`,
    params: [
      asked.map(({ key }) => key),
      asked.map(({ principal }) => principal),
      asked.map(({ route }) => route),
    ],
  }
  for (const one of asked) batch.answers.set(answerKey(one), null)
  for (const row of rows) {
    const answer = {
      principal: text(row, 'principal'),
      route: text(row, 'route'),
      key: text(row, 'key'),
      fingerprint: text(row, 'fingerprint'),
      status: int(row, 'status'),
      response: JSON.parse(text(row, 'response')),
    }
    const asker = asked.find((one) => answerKey(one) === answerKey(answer))
    // One that is too old is left to be looked up again, and removed, by its command.
    const isOld = asker !== undefined && int(row, 'created_ms') <= asker.createdMs - answersKeptMs
    if (isOld) batch.answers.delete(answerKey(answer))
    else batch.answers.set(answerKey(answer), answer)
  }
}
