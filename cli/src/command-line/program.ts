import { Command, CommanderError } from 'commander'
import type { CommandContext, CommandFunction } from './command-context.ts'
import { wrongUsage } from './command-error.ts'
import { type CommandDeclaration, globalOptions, groups } from './declaration.ts'
import { declarations } from './declarations.ts'
import { type ExitCode, exitCode } from './exit-code.ts'
import { createOptions } from './options.ts'

type Base = Omit<CommandContext, 'arguments' | 'options' | 'wantsJson'>

/**
 * Reads the words of a command line and runs what they name.
 * @throws CommandError for wrong usage, and whatever the command throws
 */
export async function runProgram(words: readonly string[], base: Base): Promise<ExitCode> {
  const ended: { code: ExitCode } = { code: exitCode.done }
  const program = createProgram(base, (code) => {
    ended.code = code
  })
  try {
    await program.parseAsync([...words], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help and version that were asked for are no mistakes.
    if (error.exitCode === 0) return exitCode.done
    if (error.code === 'commander.help') return exitCode.wrongUsage
    const [what, ...rest] = error.message.replace(/^error: /, '').split('\n')
    const hint = rest.join(' ').trim()
    throw wrongUsage(`${what}`, hint === '' ? 'See `kyros --help`.' : `${hint} See \`kyros --help\`.`)
  }
  return ended.code
}

function createProgram(base: Base, end: (code: ExitCode) => void): Command {
  const program = new Command('kyros')
  program
    .description('One control plane for AI agents: durable jobs and workflows.')
    .version(base.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => base.terminal.raw(text),
      writeErr: (text) => base.terminal.note(text.trimEnd()),
      outputError: () => undefined,
    })
    .exitOverride()
    .addHelpText('after', '\nExample:\n  $ kyros up')
  for (const [flags, description] of globalOptions) program.option(flags, description)
  const parents = new Map<string, Command>()
  for (const declaration of declarations) declare(program, parents, declaration, base, end)
  return program
}

function declare(
  program: Command,
  parents: Map<string, Command>,
  declaration: CommandDeclaration,
  base: Base,
  end: (code: ExitCode) => void,
): void {
  const words = declaration.path.split(' ')
  const name = words.at(-1) ?? ''
  const parent = words.length > 1 ? groupOf(program, parents, words[0] ?? '') : program
  const called = `${name} ${declaration.takes ?? ''}`.trim()
  const command = (words.length === 1 ? parents.get(name) : undefined) ?? parent.command(called)
  // A command may be a group as well: `kyros workflows` and `kyros workflows check`.
  if (words.length === 1) parents.set(name, command)
  command.description(declaration.summary).addHelpText('after', `\nExample:\n  $ ${declaration.example}`)
  for (const [flags, description] of declaration.options ?? []) command.option(flags, description)
  command.action(async () => {
    const values: Record<string, unknown> = command.optsWithGlobals()
    const run: CommandFunction = await declaration.load()
    const options = createOptions(values)
    end(await run({ ...base, arguments: command.args, options, wantsJson: options.flag('json') }))
  })
}

function groupOf(program: Command, parents: Map<string, Command>, name: string): Command {
  const known = parents.get(name)
  if (known !== undefined) return known
  const first = declarations.find((declaration) => declaration.path.startsWith(`${name} `))
  const group = program.command(name).description(groups[name] ?? '')
  group.addHelpText('after', `\nExample:\n  $ ${first?.example ?? `kyros ${name} --help`}`)
  parents.set(name, group)
  return group
}
