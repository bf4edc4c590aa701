import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createClient } from '@kyros/client/client'
import { expect, test } from 'vitest'
import { localAccess } from '../connect/connect.ts'
import { kyros, pinnedNode, root, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const input = { product: 'Kyros', version: '1.2.0', changes: ['Workflows of your own'] }

/** Puts a part of a file in place of another. */
function change(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8')
  expect(text).toContain(from)
  writeFileSync(path, text.replace(from, to))
}

async function made() {
  const cwd = temporaryDirectory()
  const first = await kyros(['init'], { cwd })
  expect(first.code).toBe(0)
  return { cwd, workflows: join(cwd, 'workflows'), first }
}

// That its tests pass is held by the test of the tutorial.
test('kyros init makes a project whose checks and types are right, and overwrites nothing', async () => {
  const { cwd, workflows, first } = await made()
  expect(first.output).toContain('made  workflows/release-note.workflow.ts')
  const again = await kyros(['init'], { cwd })
  expect([again.code, ...again.lines]).toEqual([
    1,
    expect.stringMatching(/release-note\.\w+\.ts is there already, and nothing was written\.$/),
    'Name a directory without it, or remove it.',
  ])

  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const [checked, typed] = await Promise.all([
    kyros(['workflows', 'check'], { cwd }),
    promisify(execFile)(pinnedNode, [tsc, '--noEmit', '-p', cwd]),
  ])
  expect(checked.output).toMatch(/^ok {3}release_note 1\.0\.0 {2}workflows\/release-note\.workflow\.ts/)
  expect(typed.stdout).toBe('')

  // As its last line says.
  const run = await promisify(execFile)('npm', ['run', '-s', 'kyros', '--', 'run', '--help'], { cwd })
  expect(run.stdout).toContain('kyros run')

  change(join(workflows, 'release-note.workflow.ts'), '= 60 } = input', '= Date.now() } = input')
  const refused = await kyros(['workflows', 'check'], { cwd })
  expect(refused.code).toBe(1)
  expect(refused.output).toMatch(
    /release-note\.workflow\.ts:\d+ uses Date \(time_read\)\n.*use context\.now\(\)/,
  )
}, 60_000)

test('kyros up serves what kyros init made, and takes over changes while it runs', async () => {
  const { cwd, workflows } = await made()
  const [definition, steps] = ['workflow', 'steps'].map((part) => join(workflows, `release-note.${part}.ts`))
  const server = spawnKyros(['up', '--port', '0', '--no-welcome'], {
    cwd,
    env: { KYROS_WORKFLOWS_WATCH: 'true' },
  })
  const client = createClient({ baseUrl: await server.ready(), access: localAccess(join(cwd, '.kyros')) })
  const start = async () => {
    const { run_id: id } = await client.call('startRun', {
      body: { name: 'note', type: 'release_note', input },
    })
    await expect
      .poll(() => client.call('getRun', { params: { id } }), patience)
      .toMatchObject({ reason: 'signal' })
    return id
  }
  const approve = async (id: string) => {
    await client.call('signalRun', { params: { id, name: 'review' }, body: 'approved' })
    const run = () => client.call('getRun', { params: { id } })
    await expect.poll(run, patience).toMatchObject({ status: 'completed' })
    return run()
  }
  const logged = (text: RegExp) => expect.poll(() => server.errors(), patience).toMatch(text)

  const { workflow_types: types, faults } = await client.call('listWorkflowTypes')
  expect(types.map(({ name }) => name)).toEqual(['code_analysis', 'release_note'])
  expect(types[1]).toMatchObject({
    title: 'Release note',
    input_schema: { required: ['product', 'version', 'changes'] },
  })
  expect(faults).toEqual([])
  const old = await start()

  change(steps ?? '', "const file = 'release-note.md'", "const file = 'note.md'")
  await logged(/steps are loaded anew/)
  change(definition ?? '', 'published: true, file', 'published: true, file, by: 2')
  await logged(/release_note changed: new runs use/)
  const fresh = await start()
  // Runs under way keep their definition and take the newest steps.
  expect(await approve(old)).toMatchObject({ result: { published: true, file: 'note.md' } })
  const { definition: hash, result } = await approve(fresh)
  expect(result).toEqual({ published: true, file: 'note.md', by: 2 })

  writeFileSync(join(workflows, 'broken.workflow.ts'), 'export const workflow = {\n')
  change(definition ?? '', 'await context.step.PublishNote(note)', 'await context.step.Publish(note)')
  await logged(/broken\.workflow\.ts:2 /)
  const answer = await client.call('listWorkflowTypes')
  expect(answer.faults.map(({ code, file, line }) => `${code} ${file}:${line}`)).toEqual([
    'syntax_error workflows/broken.workflow.ts:2',
    expect.stringMatching(/^step_missing workflows\/release-note\.workflow\.ts:\d+$/),
  ])
  expect(answer.workflow_types.find(({ name }) => name === 'release_note')?.definition).toBe(hash)
}, 60_000)

const patience = { timeout: 15_000, interval: 50 }
