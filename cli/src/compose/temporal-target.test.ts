import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@kyros/kernel/config/load-config'
import { hasOpenssl, makeCertificate } from '@kyros/kernel/test-certificate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configSchema } from '../config.ts'
import { temporalTargetOf } from './temporal-target.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kyros-temporal-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const configOf = (settings: Record<string, string>) => {
  const names = Object.entries(settings).map(([name, value]) => [`KYROS_TEMPORAL_${name}`, value])
  return loadConfig({ schema: configSchema, directory, env: Object.fromEntries(names) }).config
}
const targetOf = (settings: Record<string, string>) =>
  temporalTargetOf(configOf({ HOST_PORT: 'temporal.example:7233', ...settings }), directory)

describe('the cluster that is configured', () => {
  test('is none without an address', () => {
    expect(temporalTargetOf(configOf({ NAMESPACE: 'kyros' }), directory)).toBeUndefined()
  })

  test('is spoken to without TLS, unless something asks for it', () => {
    const plain = { address: 'temporal.example:7233', namespace: 'default', connectTimeoutMs: 5_000 }
    expect(targetOf({})).toEqual(plain)
    expect(targetOf({ TLS_ENABLED: 'true' })).toEqual({ ...plain, tls: {} })
    expect(targetOf({ API_KEY: 'k' })).toEqual({ ...plain, apiKey: 'k' })
    expect(targetOf({ API_KEY: 'k', TLS_ENABLED: 'false' })).toEqual({ ...plain, tls: false, apiKey: 'k' })
    expect(targetOf({ TLS_SERVER_NAME: 'inside' })).toEqual({ ...plain, tls: { serverName: 'inside' } })
  })

  test.each([
    ['a file that is not there', { TLS_CA: 'none.pem' }, 'temporal.tls.ca cannot be read: '],
    ['half a pair', { TLS_CERT: 'a.pem' }, 'temporal.tls.cert is set, but temporal.tls.key is not'],
  ])('%s stops the start', (_, settings, says) => {
    expect(() => targetOf(settings)).toThrow(says)
  })

  test('shows the attributes that are listed, with their types', () => {
    expect(targetOf({ SEARCH_ATTRIBUTES: 'customer=keyword, KyrosJob=keyword,size=int' })).toMatchObject({
      searchAttributes: { customer: 'keyword', KyrosJob: 'keyword', size: 'int' },
    })
  })

  test.each([
    'customer',
    'customer=text',
    'a=int,a=bool',
    'KyrosOther=keyword',
    'KyrosJob=int',
    '1=int',
    '__proto__=x',
  ])('the search attributes %s stop the start', (listed) => {
    expect(() => targetOf({ SEARCH_ATTRIBUTES: listed })).toThrow('temporal.search_attributes cannot have ')
  })

  test.skipIf(!hasOpenssl())('has the contents of the files, also by paths from the directory', () => {
    makeCertificate(directory)
    const files = { TLS_CA: 'kyros.crt', TLS_CERT: './kyros.crt', TLS_KEY: join(directory, 'kyros.key') }
    const { tls } = targetOf(files) ?? {}
    expect(Object.keys(tls ? tls : {})).toEqual(['ca', 'cert', 'key'])
    expect(String(tls ? tls.cert : '')).toContain('BEGIN CERTIFICATE')
  })

  test.each(['http://a:7233', 'a:b', '', ' '])('%j is no address', (address) => {
    const read = () => configOf({ HOST_PORT: address }).temporal.host_port
    if (address.trim() === '') expect(read()).toBeUndefined()
    else expect(read).toThrow()
  })
})
