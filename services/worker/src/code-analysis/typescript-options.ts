import { dirname, join } from 'node:path/posix'
import { maskSource } from './masked-source.ts'

/** Reads a file of the snapshot by its path in the repository. */
export type ReadPath = (path: string) => string | undefined

type Options = { [name: string]: unknown }

const flags = [
  'strict',
  'noImplicitAny',
  'strictNullChecks',
  'strictFunctionTypes',
  'strictBindCallApply',
  'strictPropertyInitialization',
  'noImplicitThis',
  'useUnknownInCatchVariables',
  'noUncheckedIndexedAccess',
  'noImplicitOverride',
  'noImplicitReturns',
  'noFallthroughCasesInSwitch',
  'exactOptionalPropertyTypes',
  'noPropertyAccessFromIndexSignature',
  'allowImportingTsExtensions',
  'esModuleInterop',
  'allowSyntheticDefaultImports',
  'resolveJsonModule',
  'isolatedModules',
  'verbatimModuleSyntax',
  'experimentalDecorators',
  'emitDecoratorMetadata',
  'useDefineForClassFields',
  'erasableSyntaxOnly',
]
const choices: readonly (readonly [string, RegExp])[] = [
  ['target', /^es(20(1[5-9]|2\d)|6|next)$/i],
  ['module', /^(node(1[68]|20|next)|es(6|20\d\d|next)|preserve)$/i],
  ['moduleResolution', /^(node16|nodenext|bundler)$/i],
  ['jsx', /^(preserve|react|react-jsx|react-jsxdev|react-native)$/i],
  ['moduleDetection', /^(auto|legacy|force)$/i],
]
const maxExtends = 6

/**
 * Compiler options for one tsconfig of the repository: only settings about the language, copied one by one. Plugins,
 * outputs, packages to extend and paths that lead out have no way in.
 */
export function compilerOptionsOf(path: string, read: ReadPath): Options {
  const theirs = readOptions(path, read, 0)
  const ours: Options = {}
  for (const flag of flags) if (typeof theirs[flag] === 'boolean') ours[flag] = theirs[flag]
  for (const [name, allowed] of choices) {
    const value = theirs[name]
    if (typeof value === 'string' && allowed.test(value)) ours[name] = value
  }
  const { lib } = theirs
  if (Array.isArray(lib)) {
    const known = lib.filter(
      (name) => typeof name === 'string' && /^(es|dom|webworker|scripthost|decorators)[\w.]*$/i.test(name),
    )
    ours.lib = known.filter((name) => !/^es5$/i.test(name))
  }
  if (ours.module === undefined && ours.moduleResolution === undefined) {
    Object.assign(ours, { module: 'preserve', moduleResolution: 'bundler' })
  } else if (ours.moduleResolution === undefined && !/^node/i.test(String(ours.module))) {
    ours.moduleResolution = 'bundler'
  } else if (ours.module === undefined) {
    ours.module = /^node/i.test(String(ours.moduleResolution)) ? 'nodenext' : 'preserve'
  }
  return {
    ...ours,
    noEmit: true,
    skipLibCheck: true,
    incremental: false,
    composite: false,
    allowJs: false,
    strict: ours.strict ?? false,
  }
}

function readOptions(path: string, read: ReadPath, depth: number): Options {
  const text = read(path)
  if (text === undefined || depth > maxExtends) return {}
  const json = parseCommentedJson(text)
  const parents = [json.extends]
    .flat()
    .filter((parent) => typeof parent === 'string' && parent.startsWith('.'))
  const inherited = parents.map((parent) => {
    const target = join(dirname(path), String(parent))
    const file = [target, `${target}.json`, join(target, 'tsconfig.json')].find(
      (candidate) => read(candidate) !== undefined,
    )
    return file === undefined ? {} : readOptions(file, read, depth + 1)
  })
  const own = json.compilerOptions
  return Object.assign({}, ...inherited, typeof own === 'object' && own !== null ? own : {})
}

function parseCommentedJson(text: string): Options {
  // Single quotes do not begin strings in JSON, so the C# rules fit: they know only double-quoted strings.
  const { code } = maskSource(text, 'c', 'C#')
  try {
    const json: unknown = JSON.parse(code.replace(/^\uFEFF/, '').replace(/,(\s*[}\]])/g, '$1'))
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : {}
  } catch {
    return {}
  }
}
