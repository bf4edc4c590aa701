import { type LoadedConfig, loadConfig } from '@kyros/kernel/config/load-config'
import type { CommandContext } from '../command-line/command-context.ts'
import { configSchema } from '../config.ts'

/** Which option of the command line sets which setting. */
const flagSettings = [
  ['port', '--port', 'server.port'],
  ['host', '--host', 'server.host'],
  ['data', '--data', 'data_dir'],
  ['databaseUrl', '--database-url', 'database.url'],
  ['url', '--url', 'client.url'],
] as const

/** The configuration of this call: defaults, file, `.env`, environment, flags. @throws ConfigError */
export function openConfig(context: CommandContext): LoadedConfig<typeof configSchema> {
  const flags = new Map<string, { name: string; value: string }>()
  for (const [option, name, path] of flagSettings) {
    const value = context.options.text(option)
    if (value !== undefined) flags.set(path, { name, value })
  }
  return loadConfig({
    schema: configSchema,
    directory: context.directory,
    env: context.env,
    file: context.options.text('config'),
    flags,
  })
}
