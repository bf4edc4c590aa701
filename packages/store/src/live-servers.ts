import { DatabaseError } from './open-error.ts'
import { readVersion } from './schema.ts'
import type { Session } from './session.ts'
import { ask, databaseNowMs, int, text } from './statement.ts'

export type Destroying = {
  nowMs: number
  /** Goes on under the servers that run on the database. */
  ignoreServers?: boolean | undefined
}

/**
 * One transaction that takes data away: not while servers run, unless that is meant, and no token that was verified
 * before is good afterwards. @throws DatabaseError database_in_use
 */
export function destroying<R>(session: Session, options: Destroying, work: () => Promise<R>): Promise<R> {
  return session.transaction(async () => {
    if (options.ignoreServers !== true) await refuseLiveServers(session)
    const before = await readRevocationEpoch(session)
    const done = await work()
    await raiseRevocationEpoch(session, before, options.nowMs)
    return done
  })
}

/**
 * No server may stand on ground that is taken away. SQLite needs no look, because a server
 * holds the directory. The lease stays locked until the commit, so that no engine begins meanwhile.
 * @throws DatabaseError database_in_use
 */
async function refuseLiveServers(session: Session): Promise<void> {
  if (session.dialect === 'sqlite' || (await session.run(readVersion(session.dialect))) === 0) return
  const sql = `SELECT holder, until_ms - ${databaseNowMs} AS left_ms FROM engine_lease WHERE id = 1 FOR UPDATE`
  const [lease] = await session.run(ask(sql))
  if (lease === undefined || text(lease, 'holder') === '' || int(lease, 'left_ms') <= 0) return
  const seconds = Math.ceil(int(lease, 'left_ms') / 1000)
  const message = `Servers run on this database: ${text(lease, 'holder')} runs its engine. Stop every one of them first (end that process with SIGTERM); one that died is forgotten in ${seconds} s. With --force it is done under them.`
  throw new DatabaseError('database_in_use', message)
}

/** The number behind every cache of verified tokens; 0 where there is none. */
async function readRevocationEpoch(session: Session): Promise<number> {
  if ((await session.run(readVersion(session.dialect))) === 0) return 0
  const [row] = await session.run(ask(`SELECT value FROM settings WHERE key = 'revocation_epoch'`))
  return row ? Number(text(row, 'value')) : 0
}

/**
 * After users and sessions were replaced: gives a number that no server has seen, so that no token which was verified
 * before stays good. `before` is the number that was there; the time keeps the number from coming back.
 */
export async function raiseRevocationEpoch(session: Session, before: number, atMs: number): Promise<void> {
  if ((await session.run(readVersion(session.dialect))) === 0) return
  const next = Math.max(before, await readRevocationEpoch(session), atMs) + 1
  await session.run(ask(`UPDATE settings SET value = '${next}' WHERE key = 'revocation_epoch'`))
  if (session.dialect === 'postgres') await session.run(ask(`NOTIFY kyros, 'revocations'`))
}
