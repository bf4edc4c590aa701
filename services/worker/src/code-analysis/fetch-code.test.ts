import { execFile } from 'node:child_process'
import { access, chmod, mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { FetchCodeInput } from '@kyros/workflows/code-analysis/steps'
import type { StepContext } from '@kyros/workflows/step-context'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defaultEnvironment } from './environment.ts'
import { readManifest } from './manifest.ts'
import { type CodeAnalysisStepsOptions, createCodeAnalysisSteps } from './steps.ts'
import { makeTestFolder, makeTestStep, TestRepository } from './test-repository.ts'

let folder: string
let remove: () => Promise<void>

beforeEach(async () => {
  const made = await makeTestFolder()
  folder = made.folder
  remove = made.remove
})
afterEach(() => remove())

async function fetchCode(
  input: FetchCodeInput,
  options: Partial<CodeAnalysisStepsOptions> = {},
  change: Partial<StepContext> = {},
) {
  const step = await makeTestStep(folder, change)
  const fetched = await createCodeAnalysisSteps({ allowedRoots: [], ...options }).FetchCode(input, step)
  const manifest = await readManifest(join(step.workspace, fetched.checkout))
  return { fetched, manifest, step }
}

async function failure(
  input: FetchCodeInput,
  options: Partial<CodeAnalysisStepsOptions> = {},
  change: Partial<StepContext> = {},
) {
  return await fetchCode(input, options, change).then(
    () => 'no failure',
    (error: { code?: string }) => error.code,
  )
}

describe('a repository on this machine', () => {
  test('is read as committed', async () => {
    const repository = await TestRepository.make(folder)
    const commit = await repository.commitFiles({ 'src/a.ts': 'export const a = 1\n', 'README.md': '# A\n' })
    await git(repository, 'reset', '--hard')
    expect((await fetchCode({ repository: repository.directory })).fetched.dirty).toBe(false)
    await writeFile(join(repository.directory, 'src/uncommitted.ts'), 'export const b = 2\n')
    const { fetched, manifest } = await fetchCode({ repository: repository.directory })
    expect(fetched).toMatchObject({
      commit,
      branch: 'main',
      dirty: true,
      files: 2,
      languages: { TypeScript: { files: 1, lines: 1 } },
    })
    expect(manifest.files.map(({ path }) => path)).toEqual(['README.md', 'src/a.ts'])
    expect(fetched.skipped).toContainEqual(expect.objectContaining({ what: 'uncommitted changes' }))
  })

  test('is read from a folder inside it, and from a bare one', async () => {
    const repository = await TestRepository.make(folder, { isBare: true })
    await repository.commitFiles({ 'a.ts': '1\n', 'in/b.ts': '2\n', 'in/c/d.ts': '3\n' })
    const { manifest, fetched } = await fetchCode({ repository: repository.directory, path: 'in' })
    expect(manifest.files.map(({ path }) => path)).toEqual(['in/b.ts', 'in/c/d.ts'])
    expect(fetched.dirty).toBeUndefined()
    const work = await TestRepository.make(folder)
    await work.commitFiles({ 'x.ts': '1\n', 'deep/y.ts': '2\n' })
    await mkdir(join(work.directory, 'deep'))
    const inside = await fetchCode({ repository: join(work.directory, 'deep') })
    expect(inside.manifest.files.map(({ path }) => path)).toEqual(['deep/y.ts'])
  })

  test('is read at another branch, at a packed one and at a hash', async () => {
    const repository = await TestRepository.make(folder)
    const first = await repository.commitFiles({ 'a.ts': '1\n' })
    await repository.commit(await repository.filesTree({ 'b.ts': '2\n' }), 'feature/b')
    await writeFile(join(repository.gitDirectory, 'packed-refs'), `# pack-refs\n${first} refs/heads/old\n`)
    expect(
      (await fetchCode({ repository: repository.directory, branch: 'feature/b' })).manifest.files[0]?.path,
    ).toBe('b.ts')
    expect((await fetchCode({ repository: repository.directory, branch: 'old' })).fetched.commit).toBe(first)
    expect((await fetchCode({ repository: repository.directory, branch: first })).fetched.commit).toBe(first)
  })

  test('fails in words when it is empty, or branch, path or repository are missing', async () => {
    const empty = await TestRepository.make(folder)
    expect(await failure({ repository: empty.directory })).toBe('repository_empty')
    const bare = await TestRepository.make(folder, { isBare: true })
    expect(await failure({ repository: bare.directory })).toBe('repository_empty')
    const repository = await TestRepository.make(folder)
    await repository.commitFiles({ 'a.ts': '1\n' })
    expect(await failure({ repository: repository.directory, branch: 'nope' })).toBe('branch_missing')
    expect(await failure({ repository: repository.directory, branch: '--upload-pack=x' })).toBe(
      'branch_missing',
    )
    expect(await failure({ repository: repository.directory, branch: 'f'.repeat(40) })).toBe('commit_missing')
    expect(await failure({ repository: repository.directory, path: 'nope' })).toBe('path_missing')
    expect(await failure({ repository: repository.directory, path: '../..' })).toBe('path_missing')
    expect(await failure({ repository: join(folder, 'nothing') })).toBe('repository_missing')
    expect(await failure({ repository: repository.directory }, { gitPath: 'no-such-git' })).toBe(
      'git_missing',
    )
    await writeFile(join(repository.gitDirectory, 'HEAD'), 'ref: refs/heads/unborn\n')
    expect(await failure({ repository: repository.directory })).toBe('branch_missing')
  })

  test('is only for administrators outside the allowed roots, also by links and borrowed objects', async () => {
    const operator: Partial<StepContext> = { principal: { id: 'o', role: 'operator' } }
    const secret = await TestRepository.make(folder)
    const commit = await secret.commitFiles({ 'secret.ts': '1\n' })
    const root = join(folder, 'root')
    await mkdir(root)
    const options = { allowedRoots: [root] }
    expect(await failure({ repository: secret.directory }, options, operator)).toBe('repository_not_allowed')
    expect(await failure({ repository: join(folder, 'missing') }, options, operator)).toBe(
      'repository_not_allowed',
    )
    await symlink(secret.directory, join(root, 'link'))
    expect(await failure({ repository: join(root, 'link') }, options, operator)).toBe(
      'repository_not_allowed',
    )
    const borrower = await TestRepository.make(root)
    await mkdir(join(borrower.gitDirectory, 'objects/info'))
    await writeFile(
      join(borrower.gitDirectory, 'objects/info/alternates'),
      `${join(secret.gitDirectory, 'objects')}\n`,
    )
    await writeFile(join(borrower.gitDirectory, 'refs/heads/main'), `${commit}\n`)
    expect(await failure({ repository: borrower.directory }, options, operator)).toBe(
      'repository_not_allowed',
    )
    const own = await TestRepository.make(root)
    await own.commitFiles({ 'a.ts': '1\n' })
    expect((await fetchCode({ repository: own.directory }, options, operator)).fetched.files).toBe(1)
  })
})

describe('a hostile repository', () => {
  test('runs nothing: not by hooks, filters, fsmonitor, promisors, aliases or transports', async () => {
    const canary = join(folder, 'canary')
    const script = join(folder, 'evil.sh')
    await writeFile(script, `#!/bin/sh\ntouch ${canary}\n`)
    await chmod(script, 0o755)
    const repository = await TestRepository.make(folder)
    const hashOfA = await repository.object('blob', 'export const a = 1\n')
    const missing = '1234567890123456789012345678901234567890'
    const tree = await repository.tree([
      {
        mode: '100644',
        name: '.gitattributes',
        hash: await repository.object('blob', '* filter=evil diff=evil\n'),
      },
      {
        mode: '100644',
        name: '.gitmodules',
        hash: await repository.object('blob', `[submodule "s"]\n\tpath = s\n\turl = ext::${script}\n`),
      },
      { mode: '100644', name: 'a.ts', hash: hashOfA },
      { mode: '100644', name: 'promised.ts', hash: missing },
      { mode: '160000', name: 's', hash: missing },
    ])
    await repository.commit(tree)
    // A working tree with an index, so that a status would call filters and fsmonitor.
    await git(repository, 'read-tree', '--empty')
    await git(repository, 'update-index', '--add', '--cacheinfo', `100644,${hashOfA},a.ts`)
    // Hooks come last: Git's own commands above must not touch the canary.
    for (const hook of [
      'post-checkout',
      'pre-commit',
      'reference-transaction',
      'post-index-change',
      'fsmonitor-watchman',
    ]) {
      await writeFile(join(repository.gitDirectory, 'hooks', hook), `#!/bin/sh\ntouch ${canary}\n`, {
        mode: 0o755,
      })
    }
    await writeFile(join(repository.gitDirectory, 'config'), hostileConfiguration(script))
    await writeFile(join(repository.directory, 'a.ts'), 'changed\n')
    await writeFile(join(repository.directory, '.gitattributes'), '* filter=evil diff=evil\n')
    const { fetched, manifest } = await fetchCode({ repository: repository.directory })
    expect(manifest.files.map(({ path }) => path)).toEqual(['.gitattributes', '.gitmodules', 'a.ts'])
    expect(fetched.skipped).toContainEqual(
      expect.objectContaining({ why: 'submodules are not fetched', count: 1 }),
    )
    expect(fetched.skipped).toContainEqual(expect.objectContaining({ why: 'they cannot be read', count: 1 }))
    await expect(access(canary)).rejects.toThrow()
    // The trap is real: Git in its own right falls into it.
    await promisify(execFile)('git', ['-C', repository.directory, 'status'], {
      env: { PATH: defaultEnvironment.path, HOME: folder },
    }).catch(() => undefined)
    await expect(access(canary)).resolves.toBeUndefined()
  })

  test('keeps links, odd names, large and binary files where they can do nothing', async () => {
    const repository = await TestRepository.make(folder)
    const blob = await repository.object('blob', 'export const a = 1\n')
    const tree = await repository.tree([
      { mode: '100644', name: '..', hash: blob },
      { mode: '100644', name: 'a\\..\\b.ts', hash: blob },
      { mode: '100644', name: Buffer.from([0x6e, 0xff, 0xfe, 0x2e, 0x74, 0x73]), hash: blob },
      { mode: '100644', name: 'line\nbreak.ts', hash: blob },
      { mode: '100644', name: 'turn\u202egnp.ts', hash: blob },
      { mode: '120000', name: 'passwd', hash: await repository.object('blob', '/etc/passwd') },
      { mode: '100644', name: 'binary.ts', hash: await repository.object('blob', Buffer.from([1, 0, 2])) },
      {
        mode: '100644',
        name: 'large.ts',
        hash: await repository.object('blob', Buffer.alloc(3_000_000, 97)),
      },
      { mode: '100644', name: 'CON.ts', hash: blob },
      {
        mode: '100755',
        name: 'package.json',
        hash: await repository.object('blob', '{"scripts":{"install":"touch canary"}}'),
      },
    ])
    await repository.commit(tree)
    const { fetched, manifest, step } = await fetchCode({ repository: repository.directory })
    const paths = manifest.files.map(({ path }) => path)
    expect(paths).toContain('n\\xff\\xfe.ts')
    expect(paths).toContain('line\\x0abreak.ts')
    expect(paths).toContain('turn\\u{202e}gnp.ts')
    expect(manifest.files.find(({ path }) => path.startsWith('n\\xff'))?.path_bytes).toBe(
      Buffer.from([0x6e, 0xff, 0xfe, 0x2e, 0x74, 0x73]).toString('base64'),
    )
    expect(paths).not.toContain('passwd')
    const stored = await readdir(join(step.workspace, fetched.checkout), { recursive: true })
    for (const name of stored) expect(name).toMatch(/^(manifest\.json|\d+|\d+\/\d{7}(\.[a-z0-9]{1,6})?)$/)
    const reasons = fetched.skipped.map(({ why }) => why)
    expect(reasons).toEqual(
      expect.arrayContaining([
        'links are not followed',
        'they are binary',
        'they are larger than 2000000 bytes',
      ]),
    )
  })

  test('is refused when it is all binary, and gets no full marks', async () => {
    const repository = await TestRepository.make(folder)
    const hash = await repository.object('blob', Buffer.from([1, 0, 2]))
    await repository.commit(await repository.tree([{ mode: '100644', name: 'a.ts', hash }]))
    expect(await failure({ repository: repository.directory })).toBe('code_missing')
  })

  test('cannot exhaust anything by depth or by repeating itself', async () => {
    const repository = await TestRepository.make(folder)
    const blob = await repository.object('blob', '1\n')
    let deep = await repository.tree([{ mode: '100644', name: 'a.ts', hash: blob }])
    for (let level = 0; level < 6_000; level++)
      deep = await repository.tree([
        { mode: '40000', name: 'd', hash: deep },
        { mode: '100644', name: 'f.ts', hash: blob },
      ])
    await repository.commit(deep)
    const first = await fetchCode({ repository: repository.directory })
    expect(first.fetched.files).toBe(65)
    expect(first.fetched.skipped).toContainEqual(
      expect.objectContaining({ why: 'they lie deeper than 64 levels' }),
    )

    let wide = await repository.tree([{ mode: '100644', name: 'a.ts', hash: blob }])
    for (let level = 0; level < 20; level++) {
      wide = await repository.tree(
        Array.from({ length: 10 }, (_, index) => ({ mode: '40000', name: `d${index}`, hash: wide })),
      )
    }
    await repository.commit(wide)
    expect(await failure({ repository: repository.directory }, { limits: { maxListedFiles: 20_000 } })).toBe(
      'repository_too_large',
    )
  })

  test('with more files than the limit is analysed in part, code first', async () => {
    const repository = await TestRepository.make(folder)
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`data/${index}.csv`, 'x\n']))
    await repository.commitFiles({ ...files, 'z.ts': '1\n' })
    const { manifest, fetched } = await fetchCode(
      { repository: repository.directory },
      { limits: { maxFiles: 5 } },
    )
    expect(manifest.files).toHaveLength(5)
    expect(manifest.files.map(({ path }) => path)).toContain('z.ts')
    expect(fetched.skipped).toContainEqual(expect.objectContaining({ what: 'files', count: 26 }))
  })
})

test('a directory outside Git is read as it is, without following links or opening pipes', async () => {
  const directory = join(folder, 'plain')
  await mkdir(join(directory, 'node_modules/x'), { recursive: true })
  await writeFile(join(directory, 'a.py'), 'x = 1\n')
  await writeFile(join(directory, 'huge.bin.ts'), '')
  await truncate(join(directory, 'huge.bin.ts'), 1_000_000_000)
  await symlink('/etc/passwd', join(directory, 'passwd'))
  await promisify(execFile)('mkfifo', [join(directory, 'pipe')])
  const { fetched, manifest } = await fetchCode({ repository: directory })
  expect(manifest.files.map(({ path }) => path)).toEqual(['a.py', 'huge.bin.ts'])
  expect(fetched.commit).toMatch(/^files-[0-9a-f]{64}$/)
  expect((await fetchCode({ repository: directory })).fetched.commit).toBe(fetched.commit)
  await writeFile(join(directory, 'a.py'), 'x = 2\n')
  expect((await fetchCode({ repository: directory })).fetched.commit).not.toBe(fetched.commit)
  expect(await failure({ repository: directory, branch: 'main' })).toBe('branch_missing')
})

test('an address that cannot be reached fails in words, and a cancelled fetch ends at once', async () => {
  expect(await failure({ repository: 'https://127.0.0.1:9/x.git' })).toBe('repository_unreachable')
  const repository = await TestRepository.make(folder)
  await repository.commitFiles({ 'a.ts': '1\n' })
  const aborted = AbortSignal.abort(new Error('cancelled'))
  await expect(fetchCode({ repository: repository.directory }, {}, { signal: aborted })).rejects.toThrow(
    'cancelled',
  )
})

test('a second attempt replaces what the first one left', async () => {
  const repository = await TestRepository.make(folder)
  await repository.commitFiles({ 'a.ts': '1\n' })
  const step = await makeTestStep(folder)
  const { FetchCode } = createCodeAnalysisSteps({ allowedRoots: [] })
  const first = await FetchCode({ repository: repository.directory }, step)
  const second = await FetchCode({ repository: repository.directory }, { ...step, attempt: 2 })
  expect(second).toEqual(first)
  expect(await readdir(step.workspace)).toEqual(['checkout'])
  expect(dirname(step.workspace)).toBe(folder)
  expect(await readFile(join(step.workspace, 'checkout/manifest.json'), 'utf8')).toContain('a.ts')
})

async function git(repository: TestRepository, ...args: string[]): Promise<void> {
  const env = { PATH: defaultEnvironment.path, HOME: folder, GIT_CONFIG_GLOBAL: '/dev/null' }
  await promisify(execFile)('git', ['-C', repository.directory, ...args], { env })
}

function hostileConfiguration(script: string): string {
  return [
    '[core]',
    '\trepositoryformatversion = 1',
    `\tfsmonitor = ${script}`,
    `\tsshCommand = ${script}`,
    `\tpager = ${script}`,
    `\talternateRefsCommand = ${script}`,
    `\thooksPath = ${dirname(script)}`,
    '[filter "evil"]',
    `\tclean = ${script}`,
    `\tsmudge = ${script}`,
    '\trequired = true',
    '[diff "evil"]',
    `\ttextconv = ${script}`,
    '[extensions]',
    '\tpartialClone = evil',
    '[remote "evil"]',
    '\tpromisor = true',
    `\turl = ext::${script}`,
    '[protocol "ext"]',
    '\tallow = always',
    '[alias]',
    `\tcat-file = !${script}`,
    '',
  ].join('\n')
}
