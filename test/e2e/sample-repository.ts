// Git repositories with known content; `fast-import` makes thousands of files in one process.
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'

type Files = { readonly [path: string]: string }

const gitTimeoutMs = 60_000

/** Two dangerous calls that every analysis must find, each in a line of its own. */
export const knownFindings = [
  { file: 'src/evaluate.js', line: 2, code: 'return eval(text)' },
  { file: 'src/list.js', line: 4, code: "exec('ls -l ' + request.query.directory" },
] as const

const faultyFiles: Files = {
  'README.md': '# Example\n',
  'src/evaluate.js': 'export function evaluate(text) {\n  return eval(text)\n}\n',
  'src/list.js': [
    "import { exec } from 'node:child_process'",
    '',
    'export function list(request, response) {',
    "  exec('ls -l ' + request.query.directory, (_, output) => response.end(output))",
    '}',
    '',
  ].join('\n'),
}

/** A small repository with `knownFindings`; answers its path. */
export function makeFaultyRepository(parent: string): string {
  return makeRepository(parent, faultyFiles)
}

/** A repository whose analysis takes some seconds on any machine; answers its path. */
export function makeLargeRepository(parent: string, modules: number): string {
  const names = Array.from({ length: modules }, (_, index) => `src/module-${index}.js`)
  return makeRepository(parent, Object.fromEntries(names.map((name, index) => [name, moduleText(index)])))
}

/** A repository with some hundred findings of several kinds in folders with long names; answers its path. */
export function makeCrowdedRepository(parent: string): string {
  const crowd = Array.from({ length: crowdedModules }, (_, index) => {
    const path = `packages/customer-accounts/src/statements/export-monthly-statement-${index}.js`
    return [path, crowdedText(index)] as const
  })
  return makeRepository(parent, { ...faultyFiles, ...Object.fromEntries(crowd) })
}

const crowdedModules = 60

function crowdedText(index: number): string {
  const lines = [
    "import { exec } from 'node:child_process'",
    "import { createHash } from 'node:crypto'",
    "import { readFileSync } from 'node:fs'",
    '',
    `export function hash${index}(password) {`,
    "  return createHash('md5').update(password).digest('hex')",
    '}',
    '',
    `export async function load${index}(accounts, client) {`,
    '  const rows = []',
    '  for (const account of accounts) {',
    `    rows.push(await client.query('select * from statements where account = ' + account.id + ' and n = ${index}'))`,
    '  }',
    '  return rows.concat(readFileSync(accounts[0].file))',
    '}',
    '',
    `export function open${index}(request) {`,
    "  exec('open ' + request.query.name)",
    '  return eval(request.query.format)',
    '}',
  ]
  return `${lines.join('\n')}\n`
}

function moduleText(index: number): string {
  const lines = Array.from({ length: 60 }, (_, number) => [
    `export function pick${index}of${number}(wanted, items) {`,
    `  if (wanted > ${number}) { for (const item of items) { if (item === ${index}) return item + wanted } }`,
    `  return wanted ? items : ${number}`,
    '}',
  ])
  return `${lines.flat().join('\n')}\n`
}

function makeRepository(parent: string, files: Files): string {
  const directory = mkdtempSync(join(parent, 'repository-'))
  git(directory, ['init', '-q', '-b', 'main'])
  git(directory, ['fast-import', '--quiet'], importOf(files))
  return directory
}

function importOf(files: Files): string {
  const who = 'Ada <ada@example.org> 1700000000 +0000'
  const head = `commit refs/heads/main\nauthor ${who}\ncommitter ${who}\n${dataOf('First\n')}`
  const body = Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${dataOf(text)}`)
  return `${head}${body.join('')}\n`
}

function dataOf(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`
}

function git(directory: string, words: readonly string[], input = ''): void {
  const { status, stderr, error } = spawnSync('git', ['-C', directory, ...words], {
    input,
    encoding: 'utf8',
    timeout: gitTimeoutMs,
    // A user's own settings (templates, hooks, signing) must not decide what is in a sample.
    env: { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  })
  if (status !== 0) throw new Error(`git ${words[0]} failed: ${error?.message ?? stderr}`)
}
