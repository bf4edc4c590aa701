import { readFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import type { BuildResult, OutputFile, Plugin } from 'esbuild'
import { authorFile } from './author-modules.ts'
import { buildFaults } from './build-faults.ts'
import { inspectFile } from './definition-rules.ts'
import { DefinitionError, errorAt, type Place } from './fault.ts'
import { findGlobals, forbiddenGlobalDefines, restoreGlobals } from './forbidden-globals.ts'
import { hashOf } from './hash-of.ts'
import { markUnused } from './schema-purity.ts'

export type Bundle = {
  hash: string
  source: string
  /** Absolute paths of the files that went in. */
  inputs: string[]
  /** What should be looked at and does not keep the definition from running. */
  warnings: WorkflowFault[]
  /** Steps that the code calls by name, each where it is called first. */
  steps: { name: string; file: string; line: number }[]
}

export type BundleSource = { name: string; entry: URL; exportName?: string | undefined }

/**
 * Makes one ESM file of a definition and all that it imports. The same sources give the same bytes on every
 * machine. @throws DefinitionError when it reaches for time, dice, timers, the network or Node.
 */
export async function bundleDefinition(from: BundleSource): Promise<Bundle> {
  const entry = fileURLToPath(from.entry)
  const built = await build(from, entry)
  const directory = dirname(entry)
  const inputs = usedInputs(built).map((path) => resolve(directory, path))
  const output = built.outputFiles.find(({ path }) => path.endsWith('.js'))?.text ?? ''
  const own = await Promise.all(
    inputs.filter(isAuthored).map(async (path) => inspectFile(path, await readFile(path, 'utf8'))),
  )
  const faults = [
    // What a schema library does inside is not the author's to mend; that it is there, is.
    ...findGlobals(output, sourcePlaces(built, output, directory)).filter(
      ({ file }) => !schemaFile.test(file),
    ),
    ...(await findSchemas(built, directory)),
    ...own.flatMap((file) => file.faults),
  ].sort((a, b) => a.file.localeCompare(b.file, 'en') || (a.line ?? 0) - (b.line ?? 0))
  if (faults.some(({ severity }) => severity === 'error')) throw new DefinitionError(from.name, faults)
  const source = restoreGlobals(await withoutPaths(output))
  return { hash: hashOf(source), source, inputs, warnings: faults, steps: own.flatMap((file) => file.steps) }
}

type Built = BuildResult<{ metafile: true }> & { outputFiles: OutputFile[] }

async function build(from: BundleSource, entry: string): Promise<Built> {
  const esbuild = await import('esbuild')
  const exportName = from.exportName ?? 'workflow'
  try {
    return await esbuild.build({
      stdin: { contents: entryText(exportName, entry), resolveDir: dirname(entry), loader: 'js' },
      absWorkingDir: dirname(entry),
      bundle: true,
      write: false,
      outfile: 'bundle.js',
      sourcemap: 'external',
      sourcesContent: false,
      metafile: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      target: 'es2022',
      charset: 'utf8',
      legalComments: 'none',
      minifyWhitespace: true,
      keepNames: false,
      logLevel: 'silent',
      tsconfigRaw: '{}',
      define: forbiddenGlobalDefines,
      plugins: [definitionImports, dropUnused(exportName)],
    })
  } catch (error) {
    throw new DefinitionError(from.name, buildFaults(error, dirname(entry)))
  }
}

/** The error classes come from the bundle itself, so that `instanceof` works in a definition. */
function entryText(exportName: string, entry: string): string {
  const near = (path: string) => JSON.stringify(`./${relative(dirname(entry), path).replaceAll('\\', '/')}`)
  const define = fileURLToPath(import.meta.resolve('@kyros/workflows/define'))
  return [
    `export { ${exportName} as definition } from ${near(entry)}`,
    `export { Cancelled, ChildFailure, CompensationFailure, ScopeTimedOut } from ${near(define)}`,
    `export { StepFailure, WaitpointExpired, WorkflowFailure } from ${near(define)}`,
  ].join('\n')
}

/** Printing the bundle once more leaves it readable and drops the comments that name files of this machine. */
async function withoutPaths(text: string): Promise<string> {
  const esbuild = await import('esbuild')
  const printed = await esbuild.transform(text, { loader: 'js', target: 'es2022', charset: 'utf8' })
  return printed.code
}

function usedInputs({ metafile }: Built): string[] {
  return Object.keys(metafile.inputs).filter((path) => path !== '<stdin>' && !schemaFile.test(path))
}

/** Kyros' own part of every bundle: errors, and what `kyros/workflow` gives. */
const authorDir = dirname(fileURLToPath(import.meta.resolve('@kyros/workflows/define')))

/** Libraries are judged by what of them is in the bundle, not by how they are written. */
function isAuthored(path: string): boolean {
  return !/[\\/]node_modules[\\/]/.test(path) && dirname(path) !== authorDir
}

function sourcePlaces(built: Built, output: string, directory: string): (offset: number) => Place {
  const text = built.outputFiles.find(({ path }) => path.endsWith('.map'))?.text ?? '{}'
  const map = new SourceMap(JSON.parse(text))
  return (offset) => {
    const before = output.slice(0, offset)
    const found = map.findEntry(before.split('\n').length - 1, offset - (before.lastIndexOf('\n') + 1))
    if (!('originalSource' in found)) return { file: '(bundle)', line: null }
    return { file: resolve(directory, found.originalSource), line: found.originalLine + 1 }
  }
}

const schemaPackages = /^(typebox|@sinclair\/typebox|zod|ajv|kyros\/schema)(\/.*)?$/
const schemaFile =
  /(^|\/)node_modules\/(typebox|@sinclair\/typebox|zod|ajv)\/|(^|\/)workflows\/src\/author-schema\.ts$/
const nodeModules =
  /^(node:.*|(assert|async_hooks|buffer|child_process|cluster|crypto|dgram|dns|events|fs|http|http2|https|module|net|os|path|perf_hooks|process|readline|stream|timers|tls|url|util|v8|vm|worker_threads|zlib)(\/.*)?)$/

const nodeHint = 'a definition may not touch Node; do it in a step'

const definitionImports: Plugin = {
  name: 'definition-imports',
  setup(build) {
    build.onResolve({ filter: nodeModules }, ({ path }) => ({
      errors: [{ text: `imports ${path}`, detail: { code: 'node_imported', hint: nodeHint } }],
    }))
    build.onResolve({ filter: /^(kyros|@kyros)\// }, ({ path }) => {
      const file = authorFile(path)
      return file === undefined ? undefined : { path: file, sideEffects: false }
    })
    // Schemas describe inputs to people; what of them is needed while a definition runs is a fault, found later.
    build.onResolve({ filter: schemaPackages }, async ({ path, resolveDir, kind, pluginData }) => {
      if (pluginData === definitionImports) return undefined
      const here = { kind, pluginData: definitionImports }
      const own = await build.resolve(path, { ...here, resolveDir })
      const found =
        own.errors.length === 0
          ? own
          : await build.resolve(path, { ...here, resolveDir: import.meta.dirname })
      return found.errors.length === 0 ? { path: found.path, sideEffects: false } : undefined
    })
  },
}

/** Only the files of the author: those of libraries know best what of them has effects. */
function dropUnused(exportName: string): Plugin {
  return {
    name: 'drop-unused',
    setup(build) {
      build.onLoad({ filter: /\.m?[jt]s$/ }, async ({ path }) => {
        if (!isAuthored(path)) return undefined
        const text = await readFile(path, 'utf8')
        return { contents: markUnused(path, text, exportName), loader: path.endsWith('ts') ? 'ts' : 'js' }
      })
    },
  }
}

const schemaHint = 'a definition may use schemas only as types (import type), and export them'

/** Schema libraries of which something is left in the bundle, where they are imported. */
async function findSchemas({ metafile }: Built, directory: string): Promise<WorkflowFault[]> {
  const isKept = Object.values(metafile.outputs).some(({ inputs }) =>
    Object.entries(inputs).some(([path, { bytesInOutput }]) => schemaFile.test(path) && bytesInOutput > 0),
  )
  if (!isKept) return []
  const importing = Object.entries(metafile.inputs).flatMap(([path, { imports }]) => {
    const used = imports.find((one) => schemaFile.test(one.path))
    return used === undefined || schemaFile.test(path)
      ? []
      : [{ file: resolve(directory, path), name: used.original ?? used.path }]
  })
  return Promise.all(
    importing.map(async ({ file, name }) => {
      const lines = (await readFile(file, 'utf8')).split('\n')
      const index = lines.findIndex((line) => line.includes(`'${name}'`) || line.includes(`"${name}"`))
      const place = { file, line: index < 0 ? null : index + 1 }
      return errorAt(place, 'schema_in_definition', `imports ${name}`, schemaHint)
    }),
  )
}
