import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AuthorWorkflows, loadAuthorWorkflows } from './author-workflows.ts'

let dir: string

// Outside of the repository, where no node_modules knows Kyros.
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kyros-authors-'))
})

afterEach(() => rm(dir, { recursive: true }))

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, 'workflows', name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
}

const load = (more: { loadTimeoutMs?: number } = {}) =>
  loadAuthorWorkflows({
    dir: join(dir, 'workflows'),
    cacheDir: join(dir, 'cache'),
    taken: new Set(['code_analysis']),
    ...more,
  })

const definition = (name: string, run = 'async (context, input) => context.step.Greet(input)') =>
  `import { defineWorkflow } from 'kyros/workflow'
export const workflow = defineWorkflow<{ Greet: (input: string) => Promise<string> }>()({
  name: '${name}',
  version: '1.0.0',
  run: ${run},
})
`
// Plain JavaScript: a test runner that compiles TypeScript itself would not ask Node.
const steps = "export const steps = { Greet: async (input) => 'Hello ' + input }\n"

function faultsOf(loaded: AuthorWorkflows): string[] {
  return loaded.faults.map(
    ({ severity, code, file, line }) => `${severity} ${code} ${file.slice(dir.length + 11)}:${line}`,
  )
}

test('a workflow of a stranger is found with its steps, its schema and what it is called', async () => {
  await write({
    'greet.workflow.ts': `import { Type } from 'kyros/schema'
export const title = 'Greeting'
export const description = 'Says hello'
export const stepTitles = { Greet: 'Says it' }
const Name = Type.String({ minLength: 1 })
export const inputSchema = Type.Object({ name: Name })
${definition('greet')}`,
    'greet.steps.mjs': steps,
  })
  const { workflows, faults } = await load()
  expect(faults).toEqual([])
  expect(workflows.map(({ entry }) => entry)).toEqual([
    expect.objectContaining({
      name: 'greet',
      version: '1.0.0',
      title: 'Greeting',
      description: 'Says hello',
      inputSchema: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', minLength: 1 } },
      },
      steps: [{ name: 'Greet', description: 'Says it' }],
    }),
  ])
  expect(await workflows[0]?.steps.Greet?.('you' as never, {} as never)).toBe('Hello you')
})

test('a folder with workflow and steps is a workflow too, and one without steps needs no file for them', async () => {
  await write({
    'nested/greet/workflow.ts': definition('greet'),
    'nested/greet/steps.mjs': steps,
    'still.workflow.ts': definition('still', 'async () => null'),
    'node_modules/other/workflow.ts': definition('other'),
  })
  const { workflows, faults } = await load()
  expect(faults).toEqual([])
  expect(workflows.map(({ entry }) => entry.name)).toEqual(['greet', 'still'])
})

test('packages that the author installed are found by definitions, schemas and steps', async () => {
  const installed = (name: string, text: string) => ({
    [`../node_modules/${name}/package.json`]: JSON.stringify({ name, type: 'module', exports: './index.js' }),
    [`../node_modules/${name}/index.js`]: text,
  })
  await write({
    ...installed('loud', 'export const loud = (text) => text.toUpperCase()\n'),
    ...installed('zod', 'export const object = () => ({ toJSONSchema: () => ({ type: "object" }) })\n'),
    'shout.workflow.mjs': `import { defineWorkflow } from 'kyros/workflow'
import { loud } from 'loud'
import * as z from 'zod'
const Input = z.object({})
export const inputSchema = Input.toJSONSchema()
export const workflow = defineWorkflow()({
  name: 'shout',
  version: '1.0.0',
  run: async (context, input) => context.step.Greet(loud(input)),
})
`,
    'shout.steps.mjs': `import { loud } from 'loud'\nexport const steps = { Greet: async (input) => loud(input) }\n`,
  })
  const { workflows, faults } = await load()
  expect(faults).toEqual([])
  expect(workflows[0]?.entry).toMatchObject({ name: 'shout', inputSchema: { type: 'object' } })
  expect(await workflows[0]?.steps.Greet?.('you' as never, {} as never)).toBe('YOU')
})

test('what is wrong with one workflow is told with file and line and keeps no other away', async () => {
  await write({
    'a-good.workflow.ts': definition('good'),
    'a-good.steps.mjs': steps,
    'b-broken.workflow.ts': 'export const workflow = {\n',
    'c-clash.workflow.ts': definition('good'),
    'c-clash.steps.mjs': steps,
    'd-taken.workflow.ts': definition('code_analysis', 'async () => null'),
    'e-node.workflow.ts': `import { readFileSync } from 'node:fs'\n${definition('node', 'async () => readFileSync("/x", "utf8")')}`,
    'f-no-steps.workflow.ts': definition('no_steps'),
    'g-missing.workflow.ts': definition('missing'),
    'g-missing.steps.mjs': 'export const steps = { Other: async () => null }\n',
    'h-schema.workflow.ts': `export const inputSchema = { type: 'strnig' }\n${definition('schema', 'async () => null')}`,
    'i-throws.workflow.ts': `const x: { y?: { z: number } } = {}\nexport const inputSchema = { minimum: x.y!.z }\n${definition('throws')}`,
    'j-syntax.workflow.ts': definition('syntax'),
    'j-syntax.steps.mjs': 'export const steps = {\n  Greet: async () => ,\n}\n',
    'k-odd.workflow.ts': definition('odd'),
    'k-odd.steps.mjs': '\nexport const steps = { Greet: 1 }\n',
    'l-import.workflow.ts': `import { x } from './gone.ts'\n${definition('import', 'async () => x')}`,
    'm-name.workflow.ts': definition('not a name', 'async () => null'),
    'n-default.workflow.ts': '\nexport default { name: "n" }\n',
    'o-load.workflow.ts': definition('load'),
    'o-load.steps.mjs': 'import "./helper.mjs"\nexport const steps = {}\n',
    'helper.mjs': '\n\nthrow new Error("no key")\n',
  })
  const loaded = await load()
  expect(loaded.workflows.map(({ entry }) => entry.name)).toEqual(['good'])
  expect(faultsOf(loaded)).toEqual([
    'error syntax_error b-broken.workflow.ts:2',
    'error name_taken c-clash.workflow.ts:2',
    'error name_taken d-taken.workflow.ts:2',
    'error node_imported e-node.workflow.ts:1',
    'error steps_missing f-no-steps.workflow.ts:5',
    'error step_missing g-missing.workflow.ts:5',
    'error schema_invalid h-schema.workflow.ts:1',
    'error load_failed i-throws.workflow.ts:2',
    'error syntax_error j-syntax.steps.mjs:2',
    'error steps_invalid k-odd.steps.mjs:2',
    'error import_unresolved l-import.workflow.ts:1',
    'error definition_invalid m-name.workflow.ts:2',
    'error definition_missing n-default.workflow.ts:2',
    'error steps_invalid helper.mjs:3',
  ])
})

test('a definition whose first lines never end, or end the process, is refused and keeps no other away', async () => {
  await write({
    'a-endless.workflow.ts': `while (true) {}\n${definition('endless', 'async () => null')}`,
    'b-leaves.workflow.ts': `process.exit(7)\n${definition('leaves', 'async () => null')}`,
    'd-good.workflow.ts': definition('good', 'async () => null'),
  })
  const loaded = await load({ loadTimeoutMs: 1_500 })
  expect(loaded.workflows.map(({ entry }) => entry.name)).toEqual(['good'])
  expect(faultsOf(loaded)).toEqual([
    'error load_failed a-endless.workflow.ts:null',
    'error load_failed b-leaves.workflow.ts:null',
  ])
  expect(loaded.faults.map(({ message }) => message)).toEqual([
    'cannot be loaded: it was still loading after 1.5 s',
    'cannot be loaded: it ends the process',
  ])
  await rm(join(dir, 'workflows', 'a-endless.workflow.ts'))
  await rm(join(dir, 'workflows', 'b-leaves.workflow.ts'))
  // What passed is not tried again: no thread starts within a millisecond.
  expect((await load({ loadTimeoutMs: 1 })).workflows.map(({ entry }) => entry.name)).toEqual(['good'])
})

test('a directory that is not there is a fault and no end', async () => {
  expect(faultsOf(await load())).toEqual(['error directory_unreadable :null'])
})
