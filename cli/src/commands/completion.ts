import type { CommandFunction } from '../command-line/command-context.ts'
import { wrongUsage } from '../command-line/command-error.ts'
import { type CommandDeclaration, globalOptions } from '../command-line/declaration.ts'
import { declarations } from '../command-line/declarations.ts'
import { exitCode } from '../command-line/exit-code.ts'

const shells: Readonly<Record<string, () => string>> = { bash, zsh, fish }

/** `kyros completion`: a script made from the same table as the help. */
export const completion: CommandFunction = async (context) => {
  const shell = context.arguments[0] ?? ''
  const script = Object.hasOwn(shells, shell) ? shells[shell] : undefined
  if (script === undefined) {
    throw wrongUsage(`There is no completion for ${shell}.`, `Give one of ${Object.keys(shells).join(', ')}.`)
  }
  context.terminal.raw(script())
  return exitCode.done
}

/** What may follow each beginning: '' → first words, `jobs` → its verbs, `jobs list` → its options. */
function continuations(): Map<string, Set<string>> {
  const words = new Map<string, Set<string>>()
  const add = (beginning: string, word: string) => {
    const known = words.get(beginning) ?? new Set()
    words.set(beginning, known.add(word))
  }
  for (const declaration of declarations) {
    const [first = '', second] = declaration.path.split(' ')
    add('', first)
    if (second !== undefined) add(first, second)
    for (const name of optionNames(declaration)) add(declaration.path, name)
  }
  return words
}

function optionNames(declaration: CommandDeclaration): string[] {
  const flags = [...(declaration.options ?? []), ...globalOptions].map(([text]) => text)
  return flags.flatMap((text) => text.match(/--[a-z-]+/)?.[0] ?? [])
}

function bash(): string {
  const cases = [...continuations()].map(([beginning, words]) => {
    return `    '${beginning}') words='${[...words].join(' ')}' ;;`
  })
  return `# kyros completion for bash
_kyros() {
  local current="\${COMP_WORDS[COMP_CWORD]}" beginning='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) beginning="\${beginning:+$beginning }$word" ;; esac
  done
  case "$beginning" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _kyros kyros
`
}

function zsh(): string {
  return `#compdef kyros\nautoload -U +X bashcompinit && bashcompinit\n${bash()}`
}

function fish(): string {
  const lines = declarations.flatMap((declaration) => {
    const [first = '', second] = declaration.path.split(' ')
    const summary = declaration.summary.replaceAll("'", "\\'")
    const place = second === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${first}`
    const word = second ?? first
    const options = optionNames(declaration).map((name) => {
      return `complete -c kyros -n '__fish_seen_subcommand_from ${word}' -l ${name.slice(2)}`
    })
    const own = `complete -c kyros -f -n '${place}' -a ${word} -d '${summary}'`
    return second === undefined
      ? [own, ...options]
      : [`complete -c kyros -f -n '__fish_use_subcommand' -a ${first}`, own, ...options]
  })
  return `# kyros completion for fish\n${[...new Set(lines)].join('\n')}\n`
}
