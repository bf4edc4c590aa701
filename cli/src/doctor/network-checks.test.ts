import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '@kyros/kernel/config/load-config'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configSchema } from '../config.ts'
import { temporal } from './network-checks.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kyros-doctor-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const findingsOf = (settings: Record<string, string>) => {
  const names = Object.entries(settings).map(([name, value]) => [`KYROS_TEMPORAL_${name}`, value])
  const { config } = loadConfig({ schema: configSchema, directory, env: Object.fromEntries(names) })
  return temporal({ config, directory, dataDir: undefined, serverUrl: undefined })
}

test('nothing is said of Temporal where no cluster is configured', async () => {
  expect(await findingsOf({})).toEqual([])
})

test('what is wrong with the cluster is said, and what to do', async () => {
  expect(await findingsOf({ HOST_PORT: '127.0.0.1:7' })).toEqual([
    {
      name: 'temporal',
      status: 'fault',
      detail: 'Temporal at 127.0.0.1:7 does not answer: nothing listens there (ECONNREFUSED).',
      mend: 'Start the cluster, or mend temporal.host_port.',
    },
  ])
})

test('what is wrong with its files is said, too', async () => {
  const [finding] = await findingsOf({ HOST_PORT: '127.0.0.1:7', TLS_CA: 'none.pem' })
  expect(finding).toMatchObject({ name: 'temporal', status: 'fault' })
  expect(finding?.detail).toContain('temporal.tls.ca cannot be read')
})
