import { type DestinationStream, type Logger, pino } from 'pino'
import { prettyLine } from './pretty-line.ts'

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

const secretKeys = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'password',
  'password_hash',
  'passwordHash',
  'token',
  'access_token',
  'refresh_token',
  'accessToken',
  'refreshToken',
  'key',
  'api_key',
  'apiKey',
  'secret',
  'secret_key',
  'secretKey',
  'client_secret',
]

function atDepth(key: string): string[] {
  const name = key.includes('-') ? `["${key}"]` : key
  const joined = (parent: string) => (key.includes('-') ? `${parent}${name}` : `${parent}.${name}`)
  return [name, joined('*'), joined('*.*')]
}

const maxBufferedBytes = 16 * 1024 * 1024

/** The log of a process: objects first, secrets cut out whatever their depth up to three. */
export function createLog(options: LogOptions = {}): Log {
  const out = options.destination ?? pino.destination({ fd: 1, sync: false, maxLength: maxBufferedBytes })
  const destination =
    options.format === 'pretty' ? { write: (line: string) => out.write(prettyLine(line)) } : out
  const clock = options.clock ?? { nowMs: Date.now }
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretKeys.flatMap(atDepth), censor: '[redacted]' },
    },
    destination,
  )
  return wrap(logger)
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
    child: (fields) => wrap(logger.child(fields)),
  }
}
