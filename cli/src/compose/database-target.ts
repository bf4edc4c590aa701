import { resolve } from 'node:path'
import type { DatabaseTarget } from '@kyros/store/session'
import { CommandError } from '../command-line/command-error.ts'
import type { Config } from '../config.ts'
import { plainScheme } from './plain-scheme.ts'

/** The database that is configured, for commands that work on it without a server. @throws CommandError */
export function databaseTarget(directory: string, config: Config): DatabaseTarget {
  const { url } = config.database
  if (config.data_dir === ':memory:') {
    throw new CommandError(
      'A database in memory has nothing to look after.',
      'Name a data directory with --data.',
    )
  }
  const dataDir = resolve(directory, config.data_dir)
  return url === undefined ? { dataDir } : { dataDir, databaseUrl: plainScheme(url) }
}
