import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '@kyros/kernel/config/load-config'
import { expect, test } from 'vitest'
import { configSchema } from '../config.ts'
import { temporaryDirectory } from '../testing/spawn-kyros.ts'
import { ownWorkflows } from './workflow-checks.ts'

function check(directory: string) {
  const { config } = loadConfig({ schema: configSchema, directory, env: {} })
  return ownWorkflows({ config, directory, dataDir: undefined, serverUrl: undefined })
}

test('without a directory of workflows there is nothing to mend', async () => {
  expect(await check(temporaryDirectory())).toEqual([
    { name: 'workflows', status: 'ok', detail: 'none of your own (`kyros init` makes one)' },
  ])
})

test('what is wrong with a workflow is told with file and line, beside what is well', async () => {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'workflows'))
  const write = (name: string, text: string) => writeFileSync(join(directory, 'workflows', name), text)
  write('good.workflow.ts', "export const workflow = { name: 'good', version: '1', run: async () => null }\n")
  write(
    'bad.workflow.ts',
    "export const workflow = {\n  name: 'bad', version: '1',\n  run: async () => Date.now() }\n",
  )
  expect(await check(directory)).toEqual([
    {
      name: 'workflows',
      status: 'fault',
      detail: 'workflows/bad.workflow.ts:3 uses Date',
      mend: 'use context.now()',
    },
    {
      name: 'workflows',
      status: 'ok',
      detail: expect.stringMatching(/^1 of your own in .*workflows: good$/),
    },
  ])
})
