import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FetchCodeInput, FetchCodeOutput } from '@kyros/workflows/code-analysis/steps'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultEnvironment } from './environment.ts'
import { type CodeAnalysisStepsOptions, createCodeAnalysisSteps } from './steps.ts'
import { makeTestFolder, makeTestStep, TestRepository, type TestStep } from './test-repository.ts'

let folder: string
let remove: () => Promise<void>

beforeEach(async () => {
  const made = await makeTestFolder()
  folder = made.folder
  remove = made.remove
})
afterEach(() => remove())

const files = {
  'src/a.ts': 'export function a(text: string) {\n  debugger\n  return eval(text)\n}\n',
  'src/b.py': 'import os\n\n\ndef run(name):\n    os.system(f"ls {name}")  # TODO: quote it\n',
  'README.md': '# A\n',
  'logo.png': '\0',
}

type Options = Partial<CodeAnalysisStepsOptions>

async function fetchCode(input: FetchCodeInput, options: Options = {}) {
  const step = await makeTestStep(folder)
  const fetched = await createCodeAnalysisSteps({ allowedRoots: [], ...options }).FetchCode(input, step)
  return { step, fetched }
}

/** Analyses and reports as another process would: nothing is shared but the step's artifacts and outputs. */
async function finish(step: TestStep, fetched: FetchCodeOutput, options: Options = {}): Promise<string[]> {
  const steps = createCodeAnalysisSteps({ allowedRoots: [], ...options })
  const analyses = await Promise.all([
    steps.RunStaticAnalysis({ fetched }, step),
    steps.RunSecurityAnalysis({ fetched }, step),
    steps.RunPerformanceAnalysis({ fetched }, step),
  ])
  await rm(step.workspace, { recursive: true })
  const { artifacts } = await createCodeAnalysisSteps({ allowedRoots: [] }).GenerateReport(
    { fetched, analyses },
    step,
  )
  return artifacts.map((name) => step.stored.get(name) ?? '')
}

async function loseWorkspace(step: TestStep): Promise<void> {
  await rm(step.workspace, { recursive: true })
  await mkdir(step.workspace)
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no failure',
    (error: unknown) => error,
  )
}

test('a run without its checkout ends in the same bytes, though the branch has moved on', async () => {
  const repository = await TestRepository.make(folder)
  await repository.commitFiles(files)
  const inside = join(repository.directory, 'src')
  await mkdir(inside)
  for (const input of [
    { repository: repository.directory },
    { repository: inside },
    { repository: repository.directory, branch: 'main', path: 'src' },
  ]) {
    const before = await fetchCode(input)
    const expected = await finish(before.step, before.fetched)
    const { step, fetched } = await fetchCode(input)
    await loseWorkspace(step)
    await repository.commitFiles({ 'other.ts': 'export const other = 1\n' })
    expect(await finish(step, fetched)).toEqual(expected)
    expect(expected[0]).toContain('security/eval')
    await repository.commitFiles(files)
  }
}, 120_000)

test('three steps at once fetch the code once, and a checkout with holes counts as none', async () => {
  const repository = await TestRepository.make(folder)
  await repository.commitFiles(files)
  const asked = join(folder, 'asked')
  const git = join(folder, 'counting-git')
  await writeFile(git, `#!/bin/sh\ncase "$*" in *--batch-check*) echo 1 >>${asked};; esac\nexec git "$@"\n`)
  await chmod(git, 0o755)
  const { step, fetched } = await fetchCode({ repository: repository.directory }, { gitPath: git })
  const checkout = join(step.workspace, fetched.checkout)
  const stored = (await readdir(join(checkout, '0')))[0] ?? ''
  await rm(join(checkout, '0', stored))
  expect((await finish(step, fetched, { gitPath: git }))[0]).toContain('security/eval')
  expect(await readFile(asked, 'utf8')).toBe('1\n1\n')
  expect(step.logged.join('\n')).toContain(`fetching commit ${fetched.commit.slice(0, 12)} again`)
}, 60_000)

test('a commit of a server is fetched again by its hash', async () => {
  const repository = await TestRepository.make(folder, { isBare: true })
  const commit = await repository.commitFiles(files)
  // Runs on this machine what ssh would run on the server.
  const programs = join(folder, 'programs')
  await mkdir(programs)
  await writeFile(join(programs, 'ssh'), '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
  await chmod(join(programs, 'ssh'), 0o755)
  const options = { environment: { path: `${programs}:${defaultEnvironment.path}` } }
  const { step, fetched } = await fetchCode(
    { repository: `ssh://git@example.org${repository.directory}` },
    options,
  )
  expect(fetched.commit).toBe(commit)
  await loseWorkspace(step)
  await repository.commitFiles({ 'other.ts': 'export const other = 1\n' })
  const report = (await finish(step, fetched, options))[0]
  expect(report).toContain(commit)
  expect(report).toContain('security/eval')

  await loseWorkspace(step).catch(() => mkdir(step.workspace))
  await rm(join(repository.gitDirectory, 'objects', commit.slice(0, 2), commit.slice(2)))
  expect(await failureOf(finish(step, fetched, options))).toMatchObject({
    code: 'checkout_changed',
    retryable: false,
    message: expect.stringMatching(/no longer gives out commit .* Start the analysis again/),
  })
}, 60_000)

test('a directory outside Git is read again, unless its files have changed', async () => {
  const directory = join(folder, 'plain')
  await mkdir(directory)
  await writeFile(join(directory, 'a.ts'), files['src/a.ts'])
  const { step, fetched } = await fetchCode({ repository: directory })
  await loseWorkspace(step)
  expect((await finish(step, fetched))[0]).toContain('security/eval')
  await writeFile(join(directory, 'a.ts'), 'export const a = 1\n')
  await mkdir(step.workspace)
  expect(await failureOf(finish(step, fetched))).toMatchObject({
    code: 'checkout_changed',
    retryable: false,
    message: expect.stringContaining('The files have changed since this run read them'),
  })
}, 60_000)

test('fails in words when the repository is gone, or may not be read any more', async () => {
  const repository = await TestRepository.make(folder)
  await repository.commitFiles(files)
  const { step, fetched } = await fetchCode({ repository: repository.directory })
  await loseWorkspace(step)
  const { RunSecurityAnalysis } = createCodeAnalysisSteps({ allowedRoots: [] })
  const operator = { ...step, principal: { id: 'o', role: 'operator' as const } }
  expect(await failureOf(RunSecurityAnalysis({ fetched }, operator))).toMatchObject({
    code: 'repository_not_allowed',
  })
  await rename(repository.directory, `${repository.directory}-moved`)
  expect(await failureOf(RunSecurityAnalysis({ fetched }, step))).toMatchObject({
    code: 'repository_missing',
    retryable: false,
    message: expect.stringMatching(/could not be fetched again\. There is no directory/),
  })
  expect(await readdir(step.workspace)).toEqual([])
  await rename(`${repository.directory}-moved`, repository.directory)
  expect(await RunSecurityAnalysis({ fetched }, step)).toMatchObject({ area: 'security' })
}, 60_000)

test('who is cancelled while the code is fetched again does not stop the others', async () => {
  const repository = await TestRepository.make(folder)
  await repository.commitFiles(files)
  const { step, fetched } = await fetchCode({ repository: repository.directory })
  await loseWorkspace(step)
  const slow = join(folder, 'slow-git')
  await writeFile(slow, '#!/bin/sh\nsleep 0.3\nexec git "$@"\n')
  await chmod(slow, 0o755)
  const steps = createCodeAnalysisSteps({ allowedRoots: [], gitPath: slow })
  const controller = new AbortController()
  const first = failureOf(steps.RunStaticAnalysis({ fetched }, { ...step, signal: controller.signal }))
  const second = steps.RunSecurityAnalysis({ fetched }, step)
  setTimeout(() => controller.abort(new Error('cancelled by its user')), 100)
  expect(await first).toMatchObject({ message: 'cancelled by its user' })
  expect(await second).toMatchObject({ area: 'security' })
}, 60_000)
