import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'
import { findGlobals, forbiddenGlobalDefines } from './forbidden-globals.ts'

export type Bundle = {
  hash: string
  source: string
  /** Absolute paths of the files that went in. */
  inputs: string[]
}

export type BundleSource = { name: string; entry: URL; exportName?: string | undefined }

/** A definition that may not be run, with every place that must change. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError'
  readonly places: readonly string[]

  constructor(workflow: string, places: readonly string[]) {
    super(
      `The definition of ${workflow} cannot be replayed safely:\n${places.map((p) => `  ${p}`).join('\n')}`,
    )
    this.places = places
  }
}

/**
 * Makes one ESM file of a definition and all that it imports. The same sources give the same bytes on every
 * machine. @throws DefinitionError when it reaches for time, dice, timers, the network or Node.
 */
export async function bundleDefinition(from: BundleSource): Promise<Bundle> {
  const entry = fileURLToPath(from.entry)
  const built = await build(from, entry)
  const inputs = Object.keys(built.metafile.inputs)
    .filter((path) => path !== '<stdin>')
    .map((path) => resolve(dirname(entry), path))
  const source = await withoutPaths(built.outputFiles[0]?.text ?? '')
  const places = await findGlobals(source, inputs, (path) => readFile(path, 'utf8'))
  if (places.length > 0) throw new DefinitionError(from.name, places)
  return { hash: hashOf(source), source, inputs }
}

export function hashOf(source: string): string {
  return createHash('sha256').update(source).digest('hex')
}

async function build(from: BundleSource, entry: string) {
  const esbuild = await import('esbuild')
  const define = fileURLToPath(import.meta.resolve('@kyros/workflows/define'))
  try {
    return await esbuild.build({
      stdin: { contents: entryText(from, entry, define), resolveDir: dirname(entry), loader: 'js' },
      absWorkingDir: dirname(entry),
      bundle: true,
      write: false,
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
      plugins: [refuseImports],
    })
  } catch (error) {
    throw new DefinitionError(from.name, placesOf(error))
  }
}

/** The error classes come from the bundle itself, so that `instanceof` works in a definition. */
function entryText(from: BundleSource, entry: string, define: string): string {
  const near = (path: string) => JSON.stringify(`./${relative(dirname(entry), path).replaceAll('\\', '/')}`)
  return [
    `export { ${from.exportName ?? 'workflow'} as definition } from ${near(entry)}`,
    `export { Cancelled, StepFailure, WorkflowFailure } from ${near(define)}`,
  ].join('\n')
}

/** Printing the bundle once more leaves it readable and drops the comments that name files of this machine. */
async function withoutPaths(text: string): Promise<string> {
  const esbuild = await import('esbuild')
  const printed = await esbuild.transform(text, { loader: 'js', target: 'es2022', charset: 'utf8' })
  return printed.code
}

const schemaPackages = /^(typebox|@sinclair\/typebox|zod|ajv)(\/|$)/
const nodeModules =
  /^(node:.*|(assert|async_hooks|buffer|child_process|cluster|crypto|dgram|dns|events|fs|http|http2|https|module|net|os|path|perf_hooks|process|readline|stream|timers|tls|url|util|v8|vm|worker_threads|zlib)(\/.*)?)$/

const refuseImports: Plugin = {
  name: 'refuse-imports',
  setup(build) {
    build.onResolve({ filter: schemaPackages }, ({ path }) => ({
      errors: [{ text: `imports ${path}: a definition may import schemas only as types (import type)` }],
    }))
    build.onResolve({ filter: nodeModules }, ({ path }) => ({
      errors: [{ text: `imports ${path}: a definition may not touch Node; do it in a step` }],
    }))
  },
}

type BuildMessage = { text: string; location: { file: string; line: number } | null }

function placesOf(error: unknown): string[] {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) throw error
  return error.errors.map((message: BuildMessage) =>
    message.location === null
      ? message.text
      : `${message.location.file}:${message.location.line} ${message.text}`,
  )
}
