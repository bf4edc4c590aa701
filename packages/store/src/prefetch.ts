import { answerKey, type Batch } from './batch.ts'
import type { Idempotency } from './command.ts'
import { answerFromRow, deleteAnswer, isTooOld } from './commands/replay-answer.ts'
import { entryColumns, entryFromRow } from './run-entry.ts'
import { int, type Row, type Steps, text } from './statement.ts'
import type { Decoded, KeptText } from './wire.ts'

/**
 * Reads in a few statements what a batch of commands on PostgreSQL will ask for one by one. Runs are locked in the
 * order of their ids, so that two processes never wait for each other.
 */
export function* prefetch(batch: Batch, commands: readonly Decoded[]): Steps<void> {
  const runIds = new Set(commands.flatMap(runsOf))
  if (runIds.size > 0) {
    const rows = yield {
      sql: `SELECT ${entryColumns} FROM runs WHERE id = ANY(?::text[]) ORDER BY id`,
      params: [[...runIds]],
      lock: true,
    }
    for (const row of rows) batch.runs.set(text(row, 'id'), entryFromRow(row))
  }
  const logged = commands.flatMap((command) => (command.kind === 'lines' ? [command.lines.runId] : []))
  if (logged.length > 0) yield* prefetchLines(batch, logged)
  if (commands.some(isUnderLease)) yield* prefetchEpoch(batch)
  const asked = commands.flatMap(keyOf)
  if (asked.length > 0) yield* prefetchAnswers(batch, asked)
}

function runsOf(decoded: Decoded): string[] {
  switch (decoded.kind) {
    case 'append':
      return [decoded.append.runId]
    case 'many':
      return decoded.appends.map(({ runId }) => runId)
    case 'lines':
      return [decoded.lines.runId]
    case 'cold':
      return 'runId' in decoded.command ? [decoded.command.runId] : []
    case 'submit':
      return []
  }
}

function isUnderLease(decoded: Decoded): boolean {
  if (decoded.kind === 'append') return decoded.append.epoch !== undefined
  if (decoded.kind === 'submit') return decoded.submission.epoch !== undefined
  if (decoded.kind === 'cold') return 'epoch' in decoded.command && decoded.command.epoch !== undefined
  return decoded.kind === 'many' && decoded.appends.some(({ epoch }) => epoch !== undefined)
}

function keyOf(decoded: Decoded): KeptText | Idempotency | [] {
  if (decoded.kind === 'submit') return decoded.submission.idempotency ?? []
  if (decoded.kind !== 'cold' || !('idempotency' in decoded.command)) return []
  return decoded.command.idempotency ?? []
}

function* prefetchLines(batch: Batch, runIds: readonly string[]): Steps<void> {
  const entries = runIds.flatMap((id) => batch.runs.get(id) ?? [])
  const rows = yield {
    sql: 'SELECT run, MAX(line) AS line FROM logs WHERE run = ANY(?::bigint[]) GROUP BY run',
    params: [entries.map(({ ref }) => ref)],
  }
  const lastLines = new Map(rows.map((row) => [int(row, 'run'), int(row, 'line')]))
  for (const entry of entries) entry.logLines = lastLines.get(entry.ref) ?? 0
}

/** The row stays locked, so the epoch cannot change before the commit. */
function* prefetchEpoch(batch: Batch): Steps<void> {
  const [lease] = yield { sql: 'SELECT epoch FROM engine_lease WHERE id = 1', params: [], lock: true }
  batch.ledger.leaseEpoch = lease ? int(lease, 'epoch') : 0
}

function* prefetchAnswers(batch: Batch, asked: readonly (KeptText | Idempotency)[]): Steps<void> {
  const rows = yield {
    sql: `SELECT i.ref, i.principal, i.route, i.key, i.fingerprint, i.status, i.response, i.created_ms
      FROM idempotency i JOIN unnest(?::text[], ?::text[], ?::text[]) AS n (key, principal, route)
      ON i.key = n.key AND i.principal = n.principal AND i.route = n.route`,
    params: [
      asked.map(({ key }) => key),
      asked.map(({ principal }) => principal),
      asked.map(({ route }) => route),
    ],
  }
  for (const one of asked) batch.answers.set(answerKey(one), null)
  for (const row of rows) yield* keep(batch, row, asked)
}

/** One that is too old is dropped: its key is free again. */
function* keep(batch: Batch, row: Row, asked: readonly (KeptText | Idempotency)[]): Steps<void> {
  const key = answerKey({
    principal: text(row, 'principal'),
    route: text(row, 'route'),
    key: text(row, 'key'),
  })
  const asker = asked.find((one) => answerKey(one) === key)
  if (asker !== undefined && isTooOld(row, asker)) {
    yield { sql: deleteAnswer, params: [int(row, 'ref')], blind: true }
  } else batch.answers.set(key, answerFromRow(row))
}
