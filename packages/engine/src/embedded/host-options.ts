import type { Json } from '@kyros/contract/json'
import type { LoadedDefinition } from '../definitions/definitions.ts'
import type { Recorded } from './workflow-command.ts'

/** What a definition is told of its run. */
export type HostRun = {
  runId: string
  workflow: string
  version: string
  attempt: number
  /** Whose dice it rolls; left out: its own. */
  seed?: string | undefined
  maxRetries: number
  input: Json
}

/** What a host of workflow code is made of. */
export type HostOptions = {
  run: HostRun
  loaded: LoadedDefinition
  /** Commands of the history by number: what is asked for must be the same. */
  recorded: ReadonlyMap<number, Recorded>
  /** Called for `context.log`, also during replay: the caller drops what it has seen. */
  onLog: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Who may answer waitpoint `command` of this run. Left out: waitpoints have no usable token. */
  waitpointToken?: ((part: number, command: number) => string) | undefined
}
