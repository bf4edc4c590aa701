import { readFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { JsonObject } from '@kyros/contract/json'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import type { Plugin } from 'esbuild'
import { messageOf } from '../error-text.ts'
import { authorFile } from './author-modules.ts'
import { buildFaults } from './build-faults.ts'
import { readSchema } from './check-schema.ts'
import { errorAt, type Place } from './fault.ts'
import { boundNames, nameOf, nodeIn, nodesIn, parseFile } from './syntax-tree.ts'
import type { TrialLoads } from './trial-loads.ts'
import { withinTime } from './untrusted-module.ts'

/** What the file of a definition tells people about it. */
export type WorkflowDescription = {
  name: string
  version: string
  title: string
  description: string
  inputSchema: JsonObject
  stepTitles: { readonly [step: string]: string }
  /** Of the definition in its file. */
  line: number | null
}

export type DescriptionBundle = { source: string; map: string; inputs: string[] }

/** One module with everything that a definition's file exports, its schemas included. Never runs as a workflow. */
export async function bundleDescription(
  file: string,
): Promise<{ bundle: DescriptionBundle } | { faults: WorkflowFault[] }> {
  const esbuild = await import('esbuild')
  const directory = dirname(file)
  try {
    const built = await esbuild.build({
      entryPoints: [file],
      absWorkingDir: directory,
      outfile: 'description.js',
      bundle: true,
      write: false,
      metafile: true,
      sourcemap: 'external',
      sourcesContent: false,
      format: 'esm',
      platform: 'node',
      target: 'es2022',
      charset: 'utf8',
      logLevel: 'silent',
      tsconfigRaw: '{}',
      plugins: [authorImports],
    })
    const textOf = (ending: string) => built.outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? ''
    const inputs = Object.keys(built.metafile.inputs).map((path) => resolve(directory, path))
    return { bundle: { source: textOf('.js'), map: textOf('.map'), inputs } }
  } catch (error) {
    return { faults: buildFaults(error, directory) }
  }
}

const authorImports: Plugin = {
  name: 'author-imports',
  setup(build) {
    build.onResolve({ filter: /^kyros\// }, ({ path }) => {
      const found = authorFile(path)
      return found === undefined ? undefined : { path: found }
    })
    build.onResolve({ filter: /^typebox(\/|$)/ }, async ({ path, resolveDir, kind, pluginData }) => {
      if (pluginData === authorImports) return undefined
      const own = await build.resolve(path, { kind, resolveDir, pluginData: authorImports })
      if (own.errors.length === 0) return { path: own.path }
      const { path: ours, errors } = await build.resolve(path, {
        kind,
        resolveDir: import.meta.dirname,
        pluginData: authorImports,
      })
      return errors.length === 0 ? { path: ours } : undefined
    })
  },
}

/** Loads such a module from `path`, where it was written, in a thread before it does so here, and reads what it says. */
export async function readDescription(
  file: string,
  path: string,
  map: string,
  trials: TrialLoads,
): Promise<{ description: WorkflowDescription } | { faults: WorkflowFault[] }> {
  const text = await readFile(file, 'utf8')
  const fault = await trials.faultOf(path)
  if (fault !== undefined) {
    const hint = 'let its first lines come to an end'
    return { faults: [errorAt({ file, line: null }, 'load_failed', `cannot be loaded: ${fault}`, hint)] }
  }
  let module: Record<string, unknown>
  try {
    module = { ...(await withinTime(import(/* @vite-ignore */ pathToFileURL(path).href))) }
  } catch (error) {
    const message = messageOf(error)
    const place = mappedPlace(error, path, map, file)
    return {
      faults: [errorAt(place, 'load_failed', `cannot be loaded: ${message}`, 'correct what it names')],
    }
  }
  return describe(file, text, module)
}

/** Where in the sources an error of the bundled module was thrown. */
function mappedPlace(error: unknown, path: string, map: string, file: string): Place {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const at = stack.split(path)[1]
  const [, line, column] = /^:(\d+):(\d+)/.exec(at ?? '') ?? []
  if (line === undefined) return { file, line: null }
  const found = new SourceMap(JSON.parse(map)).findEntry(Number(line) - 1, Number(column) - 1)
  if (!('originalSource' in found)) return { file, line: null }
  return { file: resolve(dirname(file), found.originalSource), line: found.originalLine + 1 }
}

const nameForm = /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/

function describe(
  file: string,
  text: string,
  module: Record<string, unknown>,
): { description: WorkflowDescription } | { faults: WorkflowFault[] } {
  const at = (name: string): Place => ({ file, line: lineOfExport(file, text, name) })
  const { workflow, stepTitles } = module
  if (typeof workflow !== 'object' || workflow === null) {
    const hint = 'export const workflow = defineWorkflow<Steps>()({ name, version, run })'
    return {
      faults: [errorAt(at('default'), 'definition_missing', 'exports no definition as `workflow`', hint)],
    }
  }
  const own = Object.fromEntries(Object.entries(workflow))
  const { name, version, run } = own
  // Beside the definition they may use a schema library; inside it they are part of what runs.
  const { title = own.title, description = own.description, inputSchema = own.input } = module
  const invalid = (message: string, hint: string) =>
    errorAt(at('workflow'), 'definition_invalid', message, hint)
  const faults: WorkflowFault[] = []
  if (typeof name !== 'string' || !nameForm.test(name)) {
    faults.push(
      invalid('has no usable name', 'begin with a letter; letters, digits, _ - and . may follow, 128 in all'),
    )
  }
  if (typeof version !== 'string' || version === '' || version.length > 64) {
    faults.push(invalid('has no version', "give it one for people, as in version: '1.0.0'"))
  }
  if (typeof run !== 'function')
    faults.push(invalid('has no run function', 'run: async (context, input) => …'))
  for (const [key, value] of Object.entries({ title, description })) {
    if (value !== undefined && typeof value !== 'string') {
      faults.push(
        errorAt(at(key), 'definition_invalid', `exports a ${key} that is no text`, 'write a string'),
      )
    }
  }
  const read = inputSchema === undefined ? { schema: {} } : readSchema(inputSchema)
  if ('fault' in read) {
    const hint = 'export JSON Schema, or make one with Type from kyros/schema'
    faults.push(
      errorAt(
        at('inputSchema'),
        'schema_invalid',
        `exports an inputSchema that is no schema: ${read.fault}`,
        hint,
      ),
    )
  }
  if (faults.length > 0 || !('schema' in read)) return { faults }
  return {
    description: {
      name: String(name),
      version: String(version),
      title: typeof title === 'string' ? title : String(name),
      description: typeof description === 'string' ? description : '',
      inputSchema: read.schema,
      stepTitles: textsOf(stepTitles),
      line: at('workflow').line,
    },
  }
}

function textsOf(value: unknown): { [step: string]: string } {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]))
}

function lineOfExport(file: string, text: string, name: string): number | null {
  const { body, lineOf } = parseFile(file, text)
  for (const statement of body) {
    const names = [
      ...(statement.type === 'ExportDefaultDeclaration' ? ['default'] : []),
      ...boundNames(nodeIn(statement, 'declaration')),
      ...nodesIn(statement, 'specifiers').map((one) => nameOf(nodeIn(one, 'exported')) ?? ''),
    ]
    if (/^Export/.test(statement.type) && names.includes(name)) return lineOf(statement.start)
  }
  return null
}
