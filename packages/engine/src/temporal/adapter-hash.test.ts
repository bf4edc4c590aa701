import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { adapterHash, adapterSources, sdkSeries } from './adapter-hash.ts'

test('the adapter is all that goes into the sandbox beside definitions, and nothing else', async () => {
  const names = [...(await adapterSources()).keys()].map((url) => basename(url))
  expect(names).toEqual(
    expect.arrayContaining(
      [
        'workflow-adapter.ts',
        'adapter-steps.ts',
        'adapter-waits.ts',
        'run-interceptors.ts',
        'run-control.ts',
      ].concat(['retry-policy.ts', 'start-facts.ts', 'failure-converter.ts', 'failures.ts', 'uuidv7.ts']),
    ),
  )
  expect(names).not.toContain('temporal-worker.ts')
  expect(names).not.toContain('run-projection.ts')
  expect(await adapterHash()).toMatch(/^[0-9a-f]{64}$/)
  expect(sdkSeries()).toMatch(/^\d+\.\d+$/)
})
