// The configuration that the source documents show, word for word (fixtures/), loads as it stands.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { Environment } from '@kyros/kernel/config/env-source'
import { loadConfig } from '@kyros/kernel/config/load-config'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configSchema } from '../config.ts'

const fixtures = join(import.meta.dirname, 'fixtures')

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kyros-sources-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function load(given: { file?: string; as?: string; env?: Environment } = {}) {
  if (given.file !== undefined) {
    copyFileSync(join(fixtures, given.file), join(directory, given.as ?? given.file))
  }
  return loadConfig({ schema: configSchema, directory, env: given.env ?? {} })
}

function environmentOf(file: string): Environment {
  return parseEnv(readFileSync(join(fixtures, file), 'utf8'))
}

describe('the YAML of the orchestrator document', () => {
  test('loads, with one notice for each key that does nothing yet', () => {
    const { config, notices } = load({ file: 'config.yaml' })
    expect(config.server).toMatchObject({ port: 8080, host: '0.0.0.0', metrics_port: 9090 })
    expect(config.database).toMatchObject({
      url: 'postgres://user:pass@localhost:5432/orchestrator?sslmode=disable',
      max_open_conns: 25,
    })
    expect(config.temporal).toMatchObject({
      host_port: 'localhost:7233',
      namespace: 'default',
      task_queue: 'orchestrator-task-queue',
    })
    expect(notices.map((notice) => notice.split(' ')[0])).toEqual([
      'database.max_idle_conns',
      'redis.addr',
      'redis.db',
      'telemetry.enabled',
      'telemetry.service_name',
      'telemetry.environment',
      'telemetry.jaeger.collector_endpoint',
    ])
  })
  test('loads as kyros.yaml too', () => {
    expect(load({ file: 'config.yaml', as: 'kyros.yaml' }).config.server.port).toBe(8080)
  })
})

test("the orchestrator's other keys of Temporal load: four are read, the rest is told", () => {
  const text = `temporal:
  enable_metrics: true
  metrics_scope: orchestrator
  max_concurrent_activities: 100
  max_concurrent_workflows: 50
  worker_options: { max_concurrent_eager_activity_execution_size: 10 }
  client_options: { identity: orchestrator }
`
  writeFileSync(join(directory, 'config.yaml'), text)
  const { config, notices } = load()
  expect(config.temporal).toMatchObject({
    ...{ max_concurrent_activities: 100, max_concurrent_workflows: 50 },
    ...{ enable_metrics: true, metrics_scope: 'orchestrator' },
  })
  expect(notices.map((notice) => notice.split(' ')[0])).toEqual([
    'temporal.worker_options.max_concurrent_eager_activity_execution_size',
    'temporal.client_options.identity',
  ])
})

describe('the environment blocks', () => {
  test('the first set-up loads from .env', () => {
    const { config } = load({ file: 'environment.env', as: '.env' })
    expect(config.security.secret_key).toBe('your_very_secure_secret_minimum_32_chars')
    expect(config.security.allowed_origins).toEqual(['http://localhost:3001'])
    expect(config.database.url).toBe('postgresql://user:password@localhost:5432/kyros')
    expect(config.redis.url).toBe('redis://localhost:6379')
    expect(config).toMatchObject({ debug: true, log: { level: 'info' } })
  })
  test('the production one loads from the environment', () => {
    const { config } = load({ env: environmentOf('environment-production.env') })
    expect(config).toMatchObject({
      debug: false,
      database: { url: 'postgresql://user:password@prod-db:5432/kyros' },
      security: { secret_key: 'your_production_secret', allowed_origins: ['https://your-domain.com'] },
    })
  })
  test('the ORCHESTRATOR_ names load, with a notice for what is not built', () => {
    const { config, notices } = load({ env: environmentOf('orchestrator.env') })
    expect(config.server).toMatchObject({ port: 8080, host: '0.0.0.0' })
    expect(config.database.url).toBe('postgres://user:pass@host:5432/db')
    expect(notices).toHaveLength(5)
  })
  test.each([
    ['DEBUG_SQL', '1'],
    ['LOG_LEVEL', 'DEBUG'],
    ['ORCHESTRATOR_TELEMETRY_LOG_LEVEL', 'debug'],
    ['SECRET_KEY', 'strong_random_key'],
    ['ALLOWED_ORIGINS', 'http://localhost:3000'],
  ])('%s=%s loads', (name, value) => {
    const { settings } = load({ env: { [name]: value } })
    expect(settings.filter(({ origin }) => origin.kind === 'environment')).toHaveLength(1)
  })
  test('the older level of telemetry is the log level', () => {
    expect(load({ env: { ORCHESTRATOR_TELEMETRY_LOG_LEVEL: 'debug' } }).config.log.level).toBe('debug')
  })
})
