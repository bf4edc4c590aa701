import { expect, test } from 'vitest'
import { createLog, logLevel } from './log.ts'
import { recordingLog } from './test-app.ts'

test('secrets are cut out at every depth, in every spelling and in lists', () => {
  const { log, lines } = recordingLog()
  log.info({ password: 'p1', headers: { authorization: 'p2', cookie: 'p3', 'x-api-key': 'p4' } }, 'm')
  log.info({ a: { b: { refresh_token: 'p5', secretKey: 'p6' } } }, 'm')
  log.info(
    { list: [{ 'Set-Cookie': 'p9' }, { deep: [{ Client_Secret: 'p1' }] }], databasePassword: 'p2' },
    'm',
  )
  log.child({ token: 'p7' }).warn({ user: { key: 'p8' } }, 'm')
  expect(JSON.stringify(lines)).not.toMatch(/p\d/)
  expect(lines[2]).toMatchObject({ list: [{ 'Set-Cookie': '[redacted]' }, { deep: [{}] }] })
  expect(lines[0]).toMatchObject({ level: 'info', msg: 'm', password: '[redacted]' })
})

test('what holds no secret is logged as it is', () => {
  const { log, lines } = recordingLog()
  const fields = { run_id: 'r', tokens: 5, monkey: 'm', nested: { list: [1, { a: null }] }, at: new Date(0) }
  log.info(fields, 'm')
  expect(lines[0]).toMatchObject({ ...fields, at: '1970-01-01T00:00:00.000Z' })
  log.error({ err: new Error('broken', { cause: new Error('why') }) }, 'm')
  expect(JSON.stringify(lines[1])).toMatch(/broken.*why/)
})

test('levels are read in every case and spelling', () => {
  expect(['INFO', 'Warning', 'warn', ' debug ', 'CRITICAL', 'off'].map(logLevel)).toEqual([
    'info',
    'warn',
    'warn',
    'debug',
    'fatal',
    'silent',
  ])
  expect(logLevel('loud')).toBeUndefined()
})

test('security events have a name of their own', () => {
  const { log, lines } = recordingLog()
  log.security('login.failed', { address: '127.0.0.1' })
  expect(lines[0]).toMatchObject({ level: 'warn', security_event: 'login.failed', address: '127.0.0.1' })
})

test('a pretty line is one line that cannot steer the terminal', () => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const log = createLog({ format: 'pretty', destination, clock: { nowMs: () => 0 } })
  log.info({ job: '\u001b]0;owned\u0007\u009b31m\r\nfake line' }, 'started \u001b[2J')
  const text = lines.join('')
  expect(text).toContain('00:00:00.000')
  expect(text).toContain('INFO')
  expect(text.split('\n')).toHaveLength(2)
  const controls = [...text].filter(
    (character) => character < ' ' || (character >= '\u007f' && character < '\u00a0'),
  )
  expect(controls).toEqual(['\u001b', '\u001b', '\n'])
  log.error({ err: new Error('broken') }, 'failed')
  expect(lines.join('')).toContain('Error: broken\n')
})
