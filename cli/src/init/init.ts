import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { projectFiles } from './project-files.ts'

const kyrosDir = resolve(fileURLToPath(new URL('../../..', import.meta.url)))
const exampleDir = join(kyrosDir, 'examples', 'release-note')

/** `kyros init [dir]`: an example that works, with its test. Overwrites nothing. */
export const init: CommandFunction = async (context) => {
  const target = resolve(context.directory, context.arguments[0] ?? '.')
  const example = exampleFiles()
  const there = [...example.keys()].filter((path) => existsSync(join(target, path)))
  if (there.length > 0) {
    throw new CommandError(
      `${join(target, there[0] ?? '')} is there already, and nothing was written.`,
      'Name a directory without it, or remove it.',
    )
  }
  const project = projectFiles(packageName(target), relative(target, kyrosDir).split(sep).join('/') || '.')
  const kept = [...project.keys()].filter((path) => existsSync(join(target, path)))
  const written = [...example, ...project].filter(([path]) => !kept.includes(path))
  for (const [path, text] of written) write(join(target, path), text)
  linkKyros(target)
  tell(
    context,
    target,
    written.map(([path]) => path),
    kept,
  )
  return exitCode.done
}

function exampleFiles(): Map<string, string> {
  const dir = join(exampleDir, 'workflows')
  return new Map(
    readdirSync(dir).map((name) => [join('workflows', name), readFileSync(join(dir, name), 'utf8')]),
  )
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  // `wx`: another process may have written it just now.
  writeFileSync(path, text, { flag: 'wx' })
}

function packageName(target: string): string {
  const name = basename(target)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name === '' || name === 'kyros' ? 'my-workflows' : name
}

/** What `npm install` would make of the dependency, so that nothing has to be installed: a link, and the command. */
function linkKyros(target: string): void {
  const modules = join(target, 'node_modules')
  const link = join(modules, 'kyros')
  const command = join(modules, '.bin', 'kyros')
  if (!existsSync(link)) {
    mkdirSync(modules, { recursive: true })
    symlinkSync(kyrosDir, link, 'junction')
  }
  if (existsSync(command) || process.platform === 'win32') return
  mkdirSync(dirname(command), { recursive: true })
  symlinkSync(join('..', 'kyros', 'cli', 'bin', 'kyros.js'), command)
  makeRunnable(join(kyrosDir, 'cli', 'bin', 'kyros.js'))
}

/** It is in a clone; somewhere else that is the business of whoever put it there. */
function makeRunnable(file: string): void {
  try {
    chmodSync(file, 0o755)
  } catch {
    // Not ours to change: `npm test` then says so itself.
  }
}

function tell(
  { terminal, callName, directory, wantsJson }: CommandContext,
  target: string,
  written: readonly string[],
  kept: readonly string[],
): void {
  if (wantsJson) {
    terminal.json({ directory: target, written, kept })
    return
  }
  for (const path of written) terminal.out(`made  ${path}`)
  for (const path of kept) terminal.out(`kept  ${path}  (it was there)`)
  const into = relative(directory, target)
  terminal.note('')
  terminal.note('Next:')
  if (into !== '') terminal.note(`  cd ${into}`)
  terminal.note('  npm test                    the tests of the example, with time skipped')
  terminal.note('  npm run dev                 serve it and take over changes; the console shows its form')
  const input = '{"product": "Kyros", "version": "1.2.0", "changes": ["Workflows of your own"]}'
  terminal.note(`  ${callName} run release_note --input '${input}' --follow`)
}
