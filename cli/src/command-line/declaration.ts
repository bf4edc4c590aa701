import type { CommandFunction } from './command-context.ts'

/** One command: how it is called, what its help says, and where its code is (loaded only when it is called). */
export type CommandDeclaration = {
  /** Such as `jobs list`. */
  readonly path: string
  /** Its arguments in commander's notation: `<id>`, `[path]`, `<service...>`. */
  readonly takes?: string
  readonly summary: string
  readonly options?: readonly (readonly [flags: string, description: string])[]
  /** A call that works when it is copied. */
  readonly example: string
  readonly load: () => Promise<CommandFunction>
}

/** Words of the groups in the help. */
export const groups: Readonly<Record<string, string>> = {
  jobs: 'Submit, look at and stop jobs',
  runs: 'Look at runs, follow them, stop them',
  workflows: 'Write, check and test workflows of your own',
  events: 'Read and write the event log',
  engine: 'Look at what moves runs',
  db: 'Look after the database',
  user: 'Look after the users of the server',
}

export const globalOptions = [
  ['--json', 'print JSON: one object, or one per line'],
  ['--url <address>', 'server to talk to'],
  ['--data <dir>', 'data directory (default: .kyros)'],
  ['--config <file>', 'configuration file (default: kyros.yaml or config.yaml)'],
] as const
