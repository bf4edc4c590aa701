import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Migrated } from '@kyros/store/migrate'
import type { DatabaseTarget } from '@kyros/store/session'
import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printTable } from '../command-line/table.ts'
import { databaseTarget } from '../compose/database-target.ts'
import { openConfig } from '../compose/open-config.ts'
import { runningServer } from '../connect/server-file.ts'
import { confirm } from './ask.ts'

const migrationsDir = fileURLToPath(new URL('../../../packages/store/src/migrations', import.meta.url))

export const migrate: CommandFunction = async (context) => {
  const store = await import('@kyros/store/migrate')
  printMigrated(context, 'Applied', await store.migrate(idleTarget(context), Date.now()))
  return exitCode.done
}

export const rollback: CommandFunction = async (context) => {
  const target = idleTarget(context)
  const copy =
    target.databaseUrl === undefined
      ? ''
      : ` No copy is made on PostgreSQL: see ${context.callName} db backup.`
  await confirm(`Data that the last migration made room for are lost.${copy}`, context.options.flag('yes'))
  const store = await import('@kyros/store/migrate')
  printMigrated(context, 'Took back', await store.rollback(target, destroying(context)))
  return exitCode.done
}

export const status: CommandFunction = async (context) => {
  const store = await import('@kyros/store/migrate')
  const migrations = (await store.migrationStatus(targetOf(context))).map((migration) => ({
    version: migration.version,
    name: migration.name,
    applied_at: migration.appliedMs === null ? null : new Date(migration.appliedMs).toISOString(),
  }))
  if (context.wantsJson) {
    context.terminal.json({ migrations })
    return exitCode.done
  }
  type Migration = (typeof migrations)[number]
  const columns = [
    { title: 'VERSION', value: (row: Migration) => String(row.version), align: 'right' as const },
    { title: 'NAME', value: (row: Migration) => row.name },
    { title: 'APPLIED', value: (row: Migration) => row.applied_at ?? 'not applied' },
  ]
  printTable(context.terminal, columns, migrations)
  return exitCode.done
}

export const newMigration: CommandFunction = async (context) => {
  const store = await import('@kyros/store/migrate')
  const path = store.newMigration(context.arguments[0] ?? '', migrationsDir)
  if (context.wantsJson) context.terminal.json({ path })
  else context.terminal.out(path)
  return exitCode.done
}

export const reset: CommandFunction = async (context) => {
  const target = idleTarget(context)
  const isProduction = openConfig(context).config.environment === 'production'
  if (!isProduction) await confirm('Every job, run, event and user is deleted.', context.options.flag('yes'))
  const store = await import('@kyros/store/migrate')
  await store.reset(target, { ...destroying(context), isProduction })
  if (context.wantsJson) context.terminal.json({ reset: true })
  else context.terminal.out('The database is empty.')
  return exitCode.done
}

export const backup: CommandFunction = async (context) => {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '')
  const directory = resolve(context.directory, context.arguments[0] ?? `kyros-backup-${stamp}`)
  const store = await import('@kyros/store/backup')
  const manifest = await store.backup(targetOf(context), directory, Date.now())
  if (context.wantsJson) context.terminal.json({ directory, ...manifest })
  else {
    context.terminal.out(`${directory}: ${rowCount(manifest)} rows, ${manifest.blobs} files.`)
    context.terminal.note(`Put it back with: ${context.callName} db restore ${directory}`)
  }
  return exitCode.done
}

export const restore: CommandFunction = async (context) => {
  const target = idleTarget(context)
  const directory = resolve(context.directory, context.arguments[0] ?? '')
  const store = await import('@kyros/store/restore')
  const options = destroying(context)
  const manifest = await store.restore(target, directory, options).catch(async (error: unknown) => {
    const isFull = error instanceof Error && 'code' in error && error.code === 'database_not_empty'
    if (!isFull) throw error
    await confirm('The database is not empty: what it holds is replaced.', context.options.flag('yes'))
    return store.restore(target, directory, { ...options, force: true })
  })
  if (context.wantsJson) context.terminal.json({ directory, ...manifest })
  else context.terminal.out(`Restored ${rowCount(manifest)} rows as of ${manifest.created_at}.`)
  return exitCode.done
}

function targetOf(context: CommandContext): DatabaseTarget {
  return databaseTarget(context.directory, openConfig(context).config)
}

function destroying(context: CommandContext) {
  return { nowMs: Date.now(), ignoreServers: context.options.flag('force') }
}

/** A server must not find the ground moved under its feet. SQLite locks it out; PostgreSQL knows by the engine's lease. */
function idleTarget(context: CommandContext): DatabaseTarget {
  const target = targetOf(context)
  const server = runningServer(target.dataDir)
  const isMeant = target.databaseUrl !== undefined && context.options.flag('force')
  if (server === undefined || isMeant) return target
  throw new CommandError(
    `A server runs on ${target.dataDir} (process ${server.pid}).`,
    `Stop it first: kill ${server.pid}`,
  )
}

function rowCount(manifest: { tables: Record<string, { rows: number }> }): number {
  return Object.values(manifest.tables).reduce((sum, table) => sum + table.rows, 0)
}

function printMigrated({ terminal, wantsJson }: CommandContext, verb: string, done: Migrated): void {
  if (wantsJson) {
    terminal.json({ migrations: done.names, copy: done.copy ?? null })
    return
  }
  for (const name of done.names) terminal.out(`${verb} ${name}`)
  if (done.names.length === 0) terminal.out('There is nothing to do.')
  if (done.copy !== undefined) terminal.note(`The database as it was before: ${done.copy}`)
}
