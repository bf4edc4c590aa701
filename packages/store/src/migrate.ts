import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { healAll } from './heal.ts'
import { type Destroying, destroying, raiseRevocationEpoch } from './live-servers.ts'
import { migrations, schemaVersion } from './migrations/migrations.ts'
import { DatabaseError } from './open-error.ts'
import { type MigrationStatus, migrateDown, migrateUp, readStatus, readVersion } from './schema.ts'
import { type DatabaseTarget, openSession, type Session } from './session.ts'

export type Migrated = {
  /** The migrations that were applied or taken back, in that order. */
  names: string[]
  /** Where the database was copied to first; SQLite only, and only when it held something. */
  copy: string | undefined
}

/** Applies every migration that is missing. @throws DataDirectoryError, DatabaseError */
export function migrate(target: DatabaseTarget, nowMs: number): Promise<Migrated> {
  return withSession(target, async (session) => {
    const version = await session.run(readVersion(session.dialect))
    refuseNewer(version)
    const copy =
      version > 0 && version < schemaVersion ? await session.copyBefore(schemaVersion, nowMs) : undefined
    const done = await session.transaction(async () => {
      const applied = await session.run(migrateUp(session.dialect, nowMs))
      // A server may still know the tokens of a database that was here before.
      if (version === 0) await raiseRevocationEpoch(session, 0, nowMs)
      return applied
    })
    return { names: done.map(label), copy }
  })
}

/** Takes the last `count` migrations back, with the data that they made room for. @throws DatabaseError */
export function rollback(
  target: DatabaseTarget,
  { nowMs, ignoreServers, count = 1 }: Destroying & { count?: number },
): Promise<Migrated> {
  return withSession(target, async (session) => {
    const version = await session.run(readVersion(session.dialect))
    refuseNewer(version)
    const copy = version > 0 ? await session.copyBefore(version - count, nowMs) : undefined
    const done = await destroying(session, { nowMs, ignoreServers }, async () => {
      // What only the journal has must not be lost with its form.
      if (version === schemaVersion) await session.run(healAll(session.dialect))
      return session.run(migrateDown(session.dialect, count))
    })
    return { names: done.map(label), copy }
  })
}

/** Every migration and when it was applied; also those of a newer Kyros. */
export async function migrationStatus(target: DatabaseTarget): Promise<MigrationStatus[]> {
  const session = await openSession(target, 'read')
  try {
    return await session.run(readStatus(session.dialect))
  } finally {
    await session.close()
  }
}

/** Empties the database: takes every migration back and applies them again. Blobs stay. Refused in production. */
export function reset(
  target: DatabaseTarget,
  { nowMs, isProduction, ignoreServers }: Destroying & { isProduction: boolean },
): Promise<Migrated> {
  if (isProduction) {
    const message =
      'The database of a production server is not reset. Unset KYROS_ENV=production if you mean it.'
    return Promise.reject(new DatabaseError('database_protected', message))
  }
  return withSession(target, async (session) => {
    refuseNewer(await session.run(readVersion(session.dialect)))
    const done = await destroying(session, { nowMs, ignoreServers }, async () => {
      await session.run(migrateDown(session.dialect, migrations.length))
      return session.run(migrateUp(session.dialect, nowMs))
    })
    return { names: done.map(label), copy: undefined }
  })
}

/** Writes an empty migration with the next number; returns its path. It still has to be named in migrations.ts. */
export function newMigration(name: string, dir: string): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? []
  const slug = words.join('-')
  if (!/^[a-z]/.test(slug)) throw new TypeError('Name the migration in words, like "add-agents"')
  const numbers = readdirSync(dir).map((file) => Number.parseInt(file, 10))
  const version = Math.max(0, ...numbers.filter((number) => !Number.isNaN(number))) + 1
  const path = join(dir, `${String(version).padStart(4, '0')}-${slug}.ts`)
  writeFileSync(path, template(version, slug), { flag: 'wx' })
  return path
}

function template(version: number, slug: string): string {
  const constant = slug.replaceAll(/-(.)/g, (_, char: string) => char.toUpperCase())
  return `import type { Migration } from './migration.ts'

/** Say here what this changes and why. Then name it in migrations.ts, and new tables in table-names.ts. */
export const ${constant}: Migration = {
  version: ${version},
  name: '${slug}',
  up: () => [],
  down: () => [],
}
`
}

async function withSession<R>(target: DatabaseTarget, work: (session: Session) => Promise<R>): Promise<R> {
  const session = await openSession(target, 'write')
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

function refuseNewer(version: number): void {
  if (version <= schemaVersion) return
  const message = `The database has schema ${version} and this Kyros knows ${schemaVersion}. Use the newer Kyros.`
  throw new DatabaseError('database_newer_version', message)
}

function label({ version, name }: { version: number; name: string }): string {
  return `${String(version).padStart(4, '0')}-${name}`
}
