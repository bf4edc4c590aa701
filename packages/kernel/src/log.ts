import { type DestinationStream, type Logger, pino } from 'pino'
import { prettyLine } from './pretty-line.ts'
import { withoutSecrets } from './without-secrets.ts'

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Things that a security review looks for; the names are constants so that alerts can be built on them. */
export type SecurityEvent =
  | 'login.failed'
  | 'login.throttled'
  | 'session.created'
  | 'session.reused'
  | 'session.revoked'
  | 'token.refused'
  | 'permission.denied'
  | 'origin.refused'
  | 'user.created'
  | 'api_key.created'
  | 'api_key.revoked'
  | 'local_credential.refused'

export type Log = Pick<
  Logger,
  'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'level' | 'flush'
> & {
  security(event: SecurityEvent, fields: Record<string, unknown>): void
  child(fields: Record<string, unknown>): Log
}

export type LogOptions = {
  level?: LogLevel
  /** JSON is for machines, pretty one-liners for a person at a terminal. */
  format?: 'json' | 'pretty'
  destination?: DestinationStream
  clock?: { nowMs(): number }
}

/** Reads a level in any case and in the spellings of other systems (`INFO`, `WARNING`, `CRITICAL`). */
export function logLevel(text: string): LogLevel | undefined {
  const level = text.trim().toLowerCase()
  const other: Record<string, LogLevel> = {
    warning: 'warn',
    critical: 'fatal',
    off: 'silent',
    none: 'silent',
  }
  return logLevels.find((known) => known === level) ?? other[level]
}

const maxBufferedBytes = 16 * 1024 * 1024

// Lines are written together: a call of the system per line costs more than the line.
const batchBytes = 4096
const flushMs = 100

/** The log of a process: objects first, secrets cut out of them. Buffered lines are written when the process exits. */
export function createLog(options: LogOptions = {}): Log {
  const out = options.destination ?? standardOutput(options.format)
  const destination =
    options.format === 'pretty' ? { write: (line: string) => out.write(prettyLine(line)) } : out
  const clock = options.clock ?? { nowMs: Date.now }
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
      // pino's own redaction costs 60 µs a line with as many names as these.
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
    },
    destination,
  )
  return wrap(logger)
}

function standardOutput(format: LogOptions['format']): DestinationStream {
  if (format === 'pretty') return pino.destination({ fd: 1, sync: true })
  const buffer = { minLength: batchBytes, periodicFlush: flushMs, maxLength: maxBufferedBytes }
  return pino.destination({ fd: 1, sync: false, ...buffer })
}

/** A log that goes nowhere. */
export const silentLog: Log = createLog({ level: 'silent', destination: { write: () => undefined } })

function wrap(logger: Logger): Log {
  const bound = (level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace') => logger[level].bind(logger)
  return {
    fatal: bound('fatal'),
    error: bound('error'),
    warn: bound('warn'),
    info: bound('info'),
    debug: bound('debug'),
    trace: bound('trace'),
    level: logger.level,
    flush: logger.flush.bind(logger),
    security: (event, fields) => logger.warn({ security_event: event, ...fields }, event),
    child: (fields) => wrap(logger.child(withoutSecrets(fields))),
  }
}
