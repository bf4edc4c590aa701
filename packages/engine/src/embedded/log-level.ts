type Level = 'info' | 'warn' | 'error'

/** A level that the log has: a line with any other would keep those beside it from being written. */
export function knownLevel(level: Level): Level {
  return level === 'warn' || level === 'error' ? level : 'info'
}
