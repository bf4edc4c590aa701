import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { originText } from './assigned.ts'
import { ConfigError } from './config-error.ts'
import type { Environment } from './env-source.ts'
import { loadConfig } from './load-config.ts'

const schema = Type.Object({
  server: Type.Object({
    port: Type.Integer({ default: 8000, minimum: 0, maximum: 65_535, env: ['PORT'] }),
    host: Type.String({ default: '127.0.0.1', minLength: 1 }),
  }),
  log: Type.Object({
    level: Type.Enum(['debug', 'info', 'warn'], { default: 'info', env: ['LOG_LEVEL'] }),
  }),
  debug: Type.Boolean({ default: false, env: ['DEBUG'], shared: ['DEBUG'] }),
  origins: Type.Array(Type.String(), { default: [] }),
  secret: Type.Optional(Type.String({ minLength: 8, secret: true, env: ['SECRET'] })),
  redis: Type.Object({ db: Type.Integer({ default: 0 }) }, { additionalProperties: true, planned: 'Redis' }),
})

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kyros-config-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

type Given = { yaml?: string; dotEnv?: string; env?: Environment; flags?: [string, string][] }

function load({ yaml, dotEnv, env = {}, flags = [] }: Given) {
  if (yaml !== undefined) writeFileSync(join(directory, 'kyros.yaml'), yaml)
  if (dotEnv !== undefined) writeFileSync(join(directory, '.env'), dotEnv)
  const given = flags.map(([path, value]) => [path, { name: `--${path}`, value }] as const)
  return loadConfig({ schema, directory, env, flags: new Map(given) })
}

function faultsOf(given: Given) {
  try {
    load(given)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  throw new Error('It loaded.')
}

describe('the order of the sources', () => {
  const yaml = 'server:\n  port: 1\n'
  test('a default holds when nothing is said', () => {
    expect(load({}).config.server).toEqual({ port: 8000, host: '127.0.0.1' })
  })
  test('a file wins over the default', () => expect(load({ yaml }).config.server.port).toBe(1))
  test('.env wins over the file', () => expect(load({ yaml, dotEnv: 'PORT=2' }).config.server.port).toBe(2))
  test('the environment wins over .env', () => {
    const { config } = load({ yaml, dotEnv: 'PORT=2', env: { PORT: '3' } })
    expect(config.server.port).toBe(3)
  })
  test('a flag wins over everything', () => {
    const { config } = load({ yaml, dotEnv: 'PORT=2', env: { PORT: '3' }, flags: [['server.port', '4']] })
    expect(config.server.port).toBe(4)
  })
  test('each value says where it came from', () => {
    const { settings } = load({
      yaml: '# mine\nserver:\n  port: 1\n',
      dotEnv: '\nexport LOG_LEVEL=warn',
      env: { DEBUG: '1' },
    })
    const origins = settings.map(({ setting, origin }) => [setting.path, originText(origin)])
    expect(Object.fromEntries(origins)).toMatchObject({
      'server.port': 'kyros.yaml:3',
      'server.host': 'default',
      'log.level': '.env:2 LOG_LEVEL',
      debug: 'environment DEBUG',
    })
  })
})

describe('names of the environment', () => {
  test('KYROS_<PATH> and ORCHESTRATOR_<PATH> name a key', () => {
    expect(load({ env: { KYROS_SERVER_PORT: '5' } }).config.server.port).toBe(5)
    expect(load({ env: { ORCHESTRATOR_SERVER_PORT: '6' } }).config.server.port).toBe(6)
  })
  test('KYROS_ wins over ORCHESTRATOR_', () => {
    const env = { ORCHESTRATOR_SERVER_PORT: '6', KYROS_SERVER_PORT: '5' }
    expect(load({ env }).config.server.port).toBe(5)
  })
  test('a variable set to nothing counts as not set', () => {
    expect(load({ env: { KYROS_SERVER_PORT: '' } }).config.server.port).toBe(8000)
  })
  test('a list is separated by commas', () => {
    expect(load({ env: { KYROS_ORIGINS: 'http://a, http://b' } }).config.origins).toEqual([
      'http://a',
      'http://b',
    ])
  })
  test.each(['True', 'yes', '1', 'on'])('%s is true', (text) => {
    expect(load({ env: { DEBUG: text } }).config.debug).toBe(true)
  })
  test('a DEBUG that is meant for another program is left alone', () => {
    const { config, notices } = load({ env: { DEBUG: 'express:*' } })
    expect(config.debug).toBe(false)
    expect(notices).toHaveLength(1)
  })
  test.each([
    ['INFO', 'info'],
    ['WARNING', 'warn'],
  ])('the level %s is %s', (text, level) => {
    expect(load({ env: { LOG_LEVEL: text } }).config.log.level).toBe(level)
  })
  test('an unknown KYROS_ name of the environment is told and does not stop', () => {
    expect(load({ env: { KYROS_SERVER_PROT: '1' } }).notices).toEqual([
      'There is no setting KYROS_SERVER_PROT (environment). Did you mean KYROS_SERVER_PORT?',
    ])
  })
  test('an unknown KYROS_ name in .env stops with its line', () => {
    expect(faultsOf({ dotEnv: '# x\nKYROS_SERVER_PROT=1\nOTHER=2' })[0]?.what).toBe(
      'There is no setting KYROS_SERVER_PROT (.env:2). Did you mean KYROS_SERVER_PORT?',
    )
  })
})

describe('what is wrong is said with file and line', () => {
  test('an unknown key names the nearest one and what is allowed there', () => {
    expect(faultsOf({ yaml: 'server:\n  host: x\n  prot: 1\n' })).toEqual([
      {
        what: 'kyros.yaml:3: there is no setting server.prot. Did you mean server.port?',
        next: 'In server are allowed: port, host.',
      },
    ])
  })
  test('a wrong type says what it must be', () => {
    expect(faultsOf({ yaml: 'server:\n  port: "8000"\n' })).toEqual([
      {
        what: 'kyros.yaml:2: server.port is not right: "8000".',
        next: 'It must be a whole number from 0 to 65535.',
      },
    ])
  })
  test('a number out of range is refused', () => {
    expect(faultsOf({ env: { PORT: '65536' } })[0]?.what).toBe('environment: PORT is not right: "65536".')
  })
  test('a section in place of a value is refused', () => {
    expect(faultsOf({ yaml: 'server:\n  port:\n    x: 1\n' })[0]?.what).toContain('kyros.yaml:2')
  })
  test('a value in place of a section is refused', () => {
    expect(faultsOf({ yaml: 'server: 8080\n' })[0]).toEqual({
      what: 'kyros.yaml:1: there is no setting server.',
      next: 'server is a section; under it are allowed: port, host.',
    })
  })
  test('all faults of all sources come at once', () => {
    expect(faultsOf({ yaml: 'a: 1\nb: 2\n', env: { PORT: 'x' } })).toHaveLength(3)
  })
  test('text that is not YAML names its line', () => {
    expect(faultsOf({ yaml: 'server:\n\tport: 1\n' })[0]?.what).toMatch(/^kyros\.yaml:2: this is not YAML/)
  })
  test('a secret is not repeated', () => {
    expect(JSON.stringify(faultsOf({ env: { SECRET: 'hunter2' } }))).not.toContain('hunter2')
  })
  test('a file that was named and is not there is a fault', () => {
    expect(() => loadConfig({ schema, directory, env: {}, file: 'no.yaml' })).toThrow('no.yaml')
  })
})

describe('features that are not built yet', () => {
  test('their keys are accepted with one notice each', () => {
    const { notices, config } = load({ yaml: 'redis:\n  db: 2\n  cluster:\n    nodes: 3\n' })
    expect(notices).toHaveLength(2)
    expect(notices[0]).toContain('redis.db (kyros.yaml:2)')
    expect(config.redis.db).toBe(2)
  })
  test('their names of the environment are too', () => {
    expect(load({ env: { ORCHESTRATOR_REDIS_ADDR: 'redis:6379' } }).notices).toHaveLength(1)
  })
})
