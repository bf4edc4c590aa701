import type { Environment } from '@kyros/kernel/config/env-source'
import type { ExitCode } from './exit-code.ts'
import type { Options } from './options.ts'
import type { Terminal } from './terminal.ts'

/** What every command gets; nothing below reads the process itself. */
export type CommandContext = {
  readonly terminal: Terminal
  readonly env: Environment
  /** Where the command was called: configuration and relative paths start here. */
  readonly directory: string
  readonly version: string
  /** How the user can call this program again: `kyros`, or through npm. */
  readonly callName: string
  readonly arguments: readonly string[]
  readonly options: Options
  readonly wantsJson: boolean
}

/** Runs to its end and answers how it ended. */
export type CommandFunction = (context: CommandContext) => Promise<ExitCode>
