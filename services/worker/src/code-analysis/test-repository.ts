import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { deflateSync } from 'node:zlib'
import type { StepContext } from '@kyros/workflows/step-context'

export type TestEntry = { readonly mode: string; readonly name: Buffer | string; readonly hash: string }

/** Writes Git objects directly: what Git's own commands would refuse to make can be made, and nothing is started. */
export class TestRepository {
  readonly directory: string
  readonly gitDirectory: string

  private constructor(directory: string, gitDirectory: string) {
    this.directory = directory
    this.gitDirectory = gitDirectory
  }

  static async make(parent: string, options: { isBare?: boolean } = {}): Promise<TestRepository> {
    const directory = await mkdtemp(join(parent, 'repository-'))
    const gitDirectory = options.isBare ? directory : join(directory, '.git')
    for (const folder of ['objects', 'refs/heads', 'hooks', 'info'])
      await mkdir(join(gitDirectory, folder), { recursive: true })
    await writeFile(join(gitDirectory, 'HEAD'), 'ref: refs/heads/main\n')
    await writeFile(
      join(gitDirectory, 'config'),
      `[core]\n\trepositoryformatversion = 0\n\tbare = ${options.isBare === true}\n`,
    )
    return new TestRepository(directory, gitDirectory)
  }

  async object(kind: 'blob' | 'tree' | 'commit', content: Buffer | string): Promise<string> {
    const body = Buffer.from(content)
    const whole = Buffer.concat([Buffer.from(`${kind} ${body.length}\0`), body])
    const hash = createHash('sha1').update(whole).digest('hex')
    const path = join(this.gitDirectory, 'objects', hash.slice(0, 2), hash.slice(2))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, deflateSync(whole, { level: 1 }))
    return hash
  }

  async tree(entries: readonly TestEntry[]): Promise<string> {
    const parts = entries.map(({ mode, name, hash }) =>
      Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(hash, 'hex')]),
    )
    return await this.object('tree', Buffer.concat(parts))
  }

  /** A tree of plain files; slashes in names make folders. */
  async filesTree(files: { readonly [path: string]: string | Buffer }): Promise<string> {
    const here: TestEntry[] = []
    const folders = new Map<string, { [path: string]: string | Buffer }>()
    for (const [path, content] of Object.entries(files)) {
      const [first = '', ...rest] = path.split('/')
      if (rest.length === 0)
        here.push({ mode: '100644', name: first, hash: await this.object('blob', content) })
      else folders.set(first, { ...folders.get(first), [rest.join('/')]: content })
    }
    for (const [name, inner] of folders) here.push({ mode: '40000', name, hash: await this.filesTree(inner) })
    return await this.tree(here)
  }

  async commit(tree: string, branch = 'main'): Promise<string> {
    const who = 'A <a@example.org> 1700000000 +0000'
    const hash = await this.object(
      'commit',
      `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nMade by a test\n`,
    )
    await mkdir(dirname(join(this.gitDirectory, 'refs/heads', branch)), { recursive: true })
    await writeFile(join(this.gitDirectory, 'refs/heads', branch), `${hash}\n`)
    return hash
  }

  async commitFiles(files: { readonly [path: string]: string | Buffer }): Promise<string> {
    return await this.commit(await this.filesTree(files))
  }
}

export type TestStep = StepContext & {
  readonly stored: Map<string, string>
  readonly logged: string[]
  readonly beats: unknown[]
}

/** A private folder for one test, and what removes it. */
export async function makeTestFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'kyros-analysis-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

export async function makeTestStep(parent: string, change: Partial<StepContext> = {}): Promise<TestStep> {
  const stored = new Map<string, string>()
  const logged: string[] = []
  const beats: unknown[] = []
  return {
    runId: 'run',
    step: 'step',
    attempt: 1,
    idempotencyKey: 'run/step',
    signal: AbortSignal.timeout(60_000),
    workspace: await mkdtemp(join(parent, 'workspace-')),
    stream: { write: async () => {} },
    artifacts: {
      put: async (name, _mediaType, data) => {
        const text = Buffer.from(data).toString('utf8')
        stored.set(name, text)
        return { name, sha256: createHash('sha256').update(text).digest('hex'), bytes: text.length }
      },
      get: async (name) => {
        const text = stored.get(name)
        return text === undefined ? undefined : Buffer.from(text)
      },
    },
    principal: { id: 'admin', role: 'admin' },
    log: (_level, message) => logged.push(message),
    heartbeat: (details) => beats.push(details),
    ...change,
    stored,
    logged,
    beats,
  }
}
