import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { kyros, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const steps = `
import type { StepContext } from 'kyros/steps'
export const steps = {
  Say: async (input: { limit: number }, context: StepContext) => {
    for (const word of ['all ', 'is ', 'well']) await context.stream.write('words', word)
    return input
  },
}
export type TalkSteps = typeof steps
`
const definition = `
import { Type } from 'kyros/schema'
import { defineWorkflow } from 'kyros/workflow'
import type { TalkSteps } from './talk.steps.ts'
export const title = 'Talk'
export const description = 'Is asked, changed and told.'
export const inputSchema = Type.Object({})
export const workflow = defineWorkflow<TalkSteps>()({
  name: 'talk',
  version: '1.0.0',
  run: async (context) => {
    let limit = 1
    let isTold = false
    context.onQuery('limit', () => limit)
    context.onUpdate('setLimit', async (next) => ([limit] = [Number(next), limit])[1])
    context.onSignal('go', () => {
      isTold = true
    })
    context.attributes({ customer: 'acme' })
    await context.step.Say({ limit })
    await context.condition(() => isTold)
    return { limit }
  },
})
`

async function startTalk() {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'workflows'))
  writeFileSync(join(directory, 'workflows', 'talk.steps.ts'), steps)
  writeFileSync(join(directory, 'workflows', 'talk.workflow.ts'), definition)
  const data = join(directory, 'data')
  await spawnKyros(['up', '--port', '0', '--no-welcome', '--data', data], { cwd: directory }).ready()
  const call = (...words: string[]) => kyros([...words, '--data', data])
  const { output } = await call('run', 'talk', '--json')
  return { call, id: String(JSON.parse(output).run_id) }
}

test('a run is paused, resumed, asked, changed, followed, told and forked', {
  timeout: 120_000,
}, async () => {
  const { call, id } = await startTalk()
  expect((await call('runs', 'query', id, 'limit')).output.trim()).toBe('1')
  expect((await call('runs', 'pause', id)).code).toBe(0)
  expect((await call('runs', 'resume', id)).code).toBe(0)
  expect(await call('runs', 'resume', id)).toMatchObject({
    code: 1,
    lines: [expect.stringContaining('not paused'), expect.any(String)],
  })
  expect((await call('runs', 'update', id, 'setLimit', '--input', '5', '--json')).output).toContain(
    '"result":1',
  )
  expect(await call('runs', 'query', id, 'nothing')).toMatchObject({ code: 3 })
  expect((await call('runs', 'why', id)).output).toMatch(/waits for signal +go: /)
  expect((await call('runs', 'budget', id, '--tokens', '100', '--json')).output).toContain('"tokens":100')
  expect(await call('runs', 'budget', id)).toMatchObject({ code: 2 })
  expect((await call('runs', 'upgrade', id)).output).toMatch(/on this one already: version 1\.0\.0/)
  expect((await call('workflows')).output).toMatch(/^talk\t1\.0\.0\t[0-9a-f]{12}\tyes\t1\t/m)
  expect((await call('runs', 'list', '--attribute', 'customer=acme')).output).toContain(id)
  expect((await call('runs', 'signal', id, 'go')).code).toBe(0)
  // Ends with the run, so what it says is complete.
  expect((await call('runs', 'stream', id, 'words')).output).toBe('all is well')
  expect((await call('runs', 'get', id)).output).toMatch(/^status +completed$/m)
  const forked = (await call('runs', 'fork', id, '--from', 'Say')).output.trim()
  expect(forked).not.toBe(id)
  expect(JSON.parse((await call('runs', 'get', forked, '--json')).output).forked_from).toEqual({
    run_id: id,
    step: 'Say',
  })
  expect(await call('runs', 'fork', id)).toMatchObject({ code: 2 })
})

test('jobs that have ended are archived', { timeout: 120_000 }, async () => {
  const { call, id } = await startTalk()
  await call('runs', 'signal', id, 'go')
  await call('jobs', 'submit', 'goes on')
  expect(await call('jobs', 'archive')).toMatchObject({ code: 2 })
  const archived = await call('jobs', 'archive', '--older-than-days', '0', '--yes', '--json')
  expect(JSON.parse(archived.output)).toMatchObject({
    jobs: 1,
    runs: 1,
    archives: [expect.stringContaining('.ndjson.gz')],
  })
  expect(await call('runs', 'get', id)).toMatchObject({ code: 3 })
})
