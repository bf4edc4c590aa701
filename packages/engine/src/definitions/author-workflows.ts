import { pathToFileURL } from 'node:url'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import { messageOf } from '../error-text.ts'
import { createDefinitionCache, type DefinitionCache } from './definition-cache.ts'
import { readDescription, type WorkflowDescription } from './describe-workflow.ts'
import { DefinitionError, errorAt, warningAt } from './fault.ts'
import { findWorkflows, type WorkflowFiles } from './find-workflows.ts'
import { type AuthorSteps, loadAuthorSteps } from './load-author-steps.ts'
import { createTrialLoads, type TrialLoads } from './trial-loads.ts'

/** A workflow of a user's own that can be started. */
export type AuthorWorkflow = {
  readonly entry: CatalogueEntry
  readonly steps: AuthorSteps
  /** Absolute path of its definition. */
  readonly file: string
  readonly line: number | null
}

export type AuthorWorkflows = {
  readonly workflows: readonly AuthorWorkflow[]
  /** Everything to mend, in the order of the files. */
  readonly faults: readonly WorkflowFault[]
  /** Definition files that are there and cannot be used as they are now. */
  readonly refused: readonly string[]
}

export type AuthorOptions = {
  dir: string
  cacheDir: string
  /** Names that are taken by workflows that come with Kyros. */
  taken: ReadonlySet<string>
  /** Which load this is; a later one sees changes also in the files that steps import. Default: the first, 0. */
  generation?: number
  /** Only the workflow of this file; absolute. */
  only?: string
  /** Steps that somebody else provides: the steps file need not have them. */
  fakes?: readonly string[]
  /** How long the first lines of a definition may take. Default: 10 seconds. */
  loadTimeoutMs?: number
}

/**
 * Finds, checks and loads every workflow below a directory. What is wrong with one is a fault with file and line and
 * keeps no other from being loaded.
 */
export async function loadAuthorWorkflows(options: AuthorOptions): Promise<AuthorWorkflows> {
  const cache = createDefinitionCache(options.cacheDir)
  const { found, faults } = await findWorkflows(options.dir)
  const wanted = found.filter(({ definition }) => options.only === undefined || options.only === definition)
  const trials = createTrialLoads(options.loadTimeoutMs)
  const reading = wanted.map((files) => readWorkflow(files, { cache, trials }, options))
  const read = await Promise.all(reading).finally(trials.close)
  const names = new Map<string, string>()
  const workflows: AuthorWorkflow[] = []
  const refused: string[] = []
  for (const one of read) {
    const clash = one.workflow === undefined ? [] : clashOf(one.workflow, names, options.taken)
    faults.push(...one.faults, ...clash)
    if (one.workflow === undefined || clash.length > 0) {
      refused.push(one.file)
      continue
    }
    names.set(one.workflow.entry.name, one.workflow.file)
    workflows.push(one.workflow)
  }
  return { workflows, faults, refused }
}

function clashOf(
  { entry, file, line }: AuthorWorkflow,
  names: ReadonlyMap<string, string>,
  taken: ReadonlySet<string>,
): WorkflowFault[] {
  const other = taken.has(entry.name) ? 'a workflow that comes with Kyros' : names.get(entry.name)
  if (other === undefined) return []
  const message = `is named ${entry.name}, as ${other} is`
  return [errorAt({ file, line }, 'name_taken', message, 'give it another name')]
}

type Read = { file: string; workflow: AuthorWorkflow | undefined; faults: WorkflowFault[] }

async function readWorkflow(
  files: WorkflowFiles,
  { cache, trials }: { cache: DefinitionCache; trials: TrialLoads },
  options: AuthorOptions,
): Promise<Read> {
  const file = files.definition
  try {
    const module = await cache.description(file)
    const read = 'faults' in module ? module : await readDescription(file, module.path, module.map, trials)
    if ('faults' in read) return { file, workflow: undefined, faults: read.faults }
    const { description } = read
    const entry = pathToFileURL(file)
    const bundle = await cache.bundle({ name: description.name, entry })
    const { steps, faults } = await stepsFor(files, bundle.steps, options)
    const found = [...bundle.warnings, ...faults]
    if (steps === undefined) return { file, workflow: undefined, faults: found }
    return {
      file,
      workflow: { entry: entryOf(description, entry, steps), steps, file, line: description.line },
      faults: found,
    }
  } catch (error) {
    if (error instanceof DefinitionError) return { file, workflow: undefined, faults: [...error.faults] }
    const message = `cannot be read: ${messageOf(error)}`
    const place = { file, line: null }
    return { file, workflow: undefined, faults: [errorAt(place, 'load_failed', message, 'look at the file')] }
  }
}

function entryOf(description: WorkflowDescription, entry: URL, steps: AuthorSteps): CatalogueEntry {
  const { name, version, title, inputSchema, stepTitles } = description
  return {
    name,
    version,
    title,
    description: description.description,
    inputSchema,
    steps: Object.keys(steps).map((step) => ({ name: step, description: stepTitles[step] ?? '' })),
    entry,
  }
}

type StepUse = { name: string; file: string; line: number }

/** The steps file beside a definition, which must hold every step that the definition calls by name. */
async function stepsFor(
  files: WorkflowFiles,
  all: readonly StepUse[],
  { generation = 0, fakes = [] }: AuthorOptions,
): Promise<{ steps: AuthorSteps | undefined; faults: WorkflowFault[] }> {
  const uses = all.filter(({ name }) => !fakes.includes(name))
  const place = { file: files.definition, line: uses[0]?.line ?? null }
  if (files.steps === undefined) {
    if (uses.length === 0) return { steps: {}, faults: [] }
    const hint = `write ${files.stepsExpected}`
    return { steps: undefined, faults: [errorAt(place, 'steps_missing', 'has no steps file', hint)] }
  }
  const loaded = await loadAuthorSteps(files.steps, generation)
  if ('fault' in loaded) return { steps: undefined, faults: [loaded.fault] }
  const { steps } = loaded
  const missing = uses.filter(({ name }) => !Object.hasOwn(steps, name))
  if (missing.length > 0) {
    const faults = missing.map(({ name, file, line }) =>
      errorAt(
        { file, line },
        'step_missing',
        `calls the step ${name}`,
        `export it in steps of ${files.steps}`,
      ),
    )
    return { steps: undefined, faults }
  }
  const used = new Set(all.map(({ name }) => name))
  const idle = Object.keys(steps).filter((name) => all.length > 0 && !used.has(name))
  const at = { file: files.steps, line: null }
  return {
    steps,
    faults: idle.map((name) =>
      warningAt(at, 'step_unused', `has the step ${name}, which the definition does not call`, 'remove it'),
    ),
  }
}
