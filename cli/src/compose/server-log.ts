import { stripVTControlCharacters } from 'node:util'
import { createLog, type Log, type LogLevel } from '@kyros/kernel/log'
import { prettyLine } from '@kyros/kernel/pretty-line'
import type { Config } from '../config.ts'

export type ServerLog = {
  log: Log
  /** Sends the lines somewhere else for a while; undefined: back to standard error. */
  redirect(write: ((text: string) => void) | undefined): void
}

type LogInput = {
  config: Config
  /** Whether the user chose a level; `debug` decides only when not. */
  hasLevel: boolean
  hasColor: boolean
  write: (text: string) => void
}

/** The log of a server, on standard error: one line per notable event for a person, JSON lines in production. */
export function createServerLog({ config, hasLevel, hasColor, write }: LogInput): ServerLog {
  const level: LogLevel = !hasLevel && config.debug ? 'debug' : config.log.level
  const isVerbose = level === 'debug' || level === 'trace'
  let sink = write
  const isJson =
    config.log.format === 'json' || (config.log.format === 'auto' && config.environment === 'production')
  const text = (line: string) => {
    const shown = isVerbose ? line : forPeople(line)
    if (shown === undefined) return
    const pretty = prettyLine(shown)
    sink(hasColor ? pretty : stripVTControlCharacters(pretty))
  }
  return {
    log: createLog({
      level,
      format: 'json',
      destination: { write: (line) => (isJson ? sink(line) : text(line)) },
    }),
    redirect: (other) => {
      sink = other ?? write
    },
  }
}

/** Leaves out requests that went well and reduces errors to their message: stacks are for LOG_LEVEL=debug. */
function forPeople(line: string): string | undefined {
  if (line.includes('"msg":"request"') && !/"status":5\d\d/.test(line)) return undefined
  if (!line.includes('"stack":')) return line
  const entry: unknown = JSON.parse(line)
  if (typeof entry !== 'object' || entry === null || !('err' in entry)) return line
  const message =
    typeof entry.err === 'object' && entry.err !== null && 'message' in entry.err
      ? String(entry.err.message).split('\n')[0]
      : ''
  return JSON.stringify({ ...entry, err: undefined, error: message })
}
