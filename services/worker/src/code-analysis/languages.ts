import { basename, extname } from 'node:path/posix'

/** How comments and strings look, for the analyzers that work on text. */
export type Syntax = 'c' | 'hash' | 'python' | 'sql' | 'markup' | 'lisp' | 'none'

export type Language = { readonly name: string; readonly syntax: Syntax; readonly isCode: boolean }

const code = (name: string, syntax: Syntax): Language => ({ name, syntax, isCode: true })
const data = (name: string, syntax: Syntax): Language => ({ name, syntax, isCode: false })

const typescript = code('TypeScript', 'c')
const javascript = code('JavaScript', 'c')
const cpp = code('C++', 'c')
const shell = code('Shell', 'hash')
const yaml = data('YAML', 'hash')

const byExtension: { readonly [extension: string]: Language | undefined } = {
  '.ts': typescript,
  '.mts': typescript,
  '.cts': typescript,
  '.tsx': typescript,
  '.js': javascript,
  '.mjs': javascript,
  '.cjs': javascript,
  '.jsx': javascript,
  '.vue': code('Vue', 'markup'),
  '.svelte': code('Svelte', 'markup'),
  '.astro': code('Astro', 'markup'),
  '.py': code('Python', 'python'),
  '.pyi': code('Python', 'python'),
  '.pyw': code('Python', 'python'),
  '.go': code('Go', 'c'),
  '.rs': code('Rust', 'c'),
  '.java': code('Java', 'c'),
  '.kt': code('Kotlin', 'c'),
  '.kts': code('Kotlin', 'c'),
  '.scala': code('Scala', 'c'),
  '.groovy': code('Groovy', 'c'),
  '.c': code('C', 'c'),
  '.h': code('C', 'c'),
  '.cc': cpp,
  '.cpp': cpp,
  '.cxx': cpp,
  '.hpp': cpp,
  '.hh': cpp,
  '.cs': code('C#', 'c'),
  '.swift': code('Swift', 'c'),
  '.m': code('Objective-C', 'c'),
  '.dart': code('Dart', 'c'),
  '.php': code('PHP', 'c'),
  '.rb': code('Ruby', 'hash'),
  '.rake': code('Ruby', 'hash'),
  '.pl': code('Perl', 'hash'),
  '.pm': code('Perl', 'hash'),
  '.sh': shell,
  '.bash': shell,
  '.zsh': shell,
  '.ksh': shell,
  '.fish': shell,
  '.ps1': code('PowerShell', 'hash'),
  '.lua': code('Lua', 'sql'),
  '.r': code('R', 'hash'),
  '.jl': code('Julia', 'hash'),
  '.ex': code('Elixir', 'hash'),
  '.exs': code('Elixir', 'hash'),
  '.erl': code('Erlang', 'none'),
  '.hs': code('Haskell', 'sql'),
  '.clj': code('Clojure', 'lisp'),
  '.el': code('Emacs Lisp', 'lisp'),
  '.lisp': code('Lisp', 'lisp'),
  '.scm': code('Scheme', 'lisp'),
  '.ml': code('OCaml', 'none'),
  '.zig': code('Zig', 'c'),
  '.sol': code('Solidity', 'c'),
  '.s': code('Assembly', 'none'),
  '.sql': code('SQL', 'sql'),
  '.tf': code('Terraform', 'hash'),
  '.proto': code('Protocol Buffers', 'c'),
  '.graphql': data('GraphQL', 'hash'),
  '.css': code('CSS', 'c'),
  '.scss': code('SCSS', 'c'),
  '.less': code('Less', 'c'),
  '.html': data('HTML', 'markup'),
  '.htm': data('HTML', 'markup'),
  '.xml': data('XML', 'markup'),
  '.svg': data('SVG', 'markup'),
  '.json': data('JSON', 'none'),
  '.jsonc': data('JSON', 'none'),
  '.yaml': yaml,
  '.yml': yaml,
  '.toml': data('TOML', 'hash'),
  '.ini': data('INI', 'hash'),
  '.cfg': data('INI', 'hash'),
  '.properties': data('Properties', 'hash'),
  '.env': data('Environment', 'hash'),
  '.md': data('Markdown', 'markup'),
  '.mdx': data('Markdown', 'markup'),
  '.rst': data('reStructuredText', 'none'),
  '.txt': data('Text', 'none'),
  '.csv': data('CSV', 'none'),
}

const byName: { readonly [name: string]: Language | undefined } = {
  dockerfile: code('Dockerfile', 'hash'),
  containerfile: code('Dockerfile', 'hash'),
  makefile: code('Makefile', 'hash'),
  gnumakefile: code('Makefile', 'hash'),
  rakefile: code('Ruby', 'hash'),
  gemfile: code('Ruby', 'hash'),
  jenkinsfile: code('Groovy', 'c'),
  vagrantfile: code('Ruby', 'hash'),
  'cmakelists.txt': code('CMake', 'hash'),
}

const byInterpreter: readonly (readonly [RegExp, Language])[] = [
  [/\b(ba|z|k|da)?sh\b/, shell],
  [/\bpython[\d.]*\b/, code('Python', 'python')],
  [/\b(node|deno|bun)\b/, javascript],
  [/\bruby\b/, code('Ruby', 'hash')],
  [/\bperl\b/, code('Perl', 'hash')],
  [/\bphp\b/, code('PHP', 'c')],
]

const otherLanguage: Language = data('Other', 'none')

/** What a file is written in, by its name and, for scripts without an extension, by its first line. */
export function languageOf(path: string, head: Buffer): Language {
  const name = basename(path).toLowerCase()
  const known = byName[name] ?? byName[name.split('.')[0] ?? ''] ?? byExtension[extname(name)]
  if (known !== undefined && !(name.startsWith('makefile.') && byExtension[extname(name)] !== undefined))
    return known
  if (name === '.env' || name.startsWith('.env.')) return data('Environment', 'hash')
  if (head[0] === 35 && head[1] === 33) {
    const line = head.toString('latin1', 0, 200).split('\n')[0] ?? ''
    const found = byInterpreter.find(([pattern]) => pattern.test(line))
    if (found !== undefined) return found[1]
  }
  return otherLanguage
}

/** True when the name alone says that somebody writes this file by hand; such files are read first. */
export function isSourceName(path: string): boolean {
  const name = basename(path).toLowerCase()
  return (byName[name] ?? byExtension[extname(name)])?.isCode === true
}
