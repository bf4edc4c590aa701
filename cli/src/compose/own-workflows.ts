import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import type { AuthorWorkflows } from '@kyros/engine/definitions/author-workflows'
import {
  type DefinitionChange,
  type Definitions,
  prepareDefinitions,
} from '@kyros/engine/definitions/definitions'
import { faultText } from '@kyros/engine/definitions/fault'
import type { StepsByWorkflow } from '@kyros/engine/embedded/embedded-engine'
import type { Log } from '@kyros/kernel/log'
import type { Store } from '@kyros/store/store'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import type { Config } from '../config.ts'

const defaultDir = 'workflows'

/**
 * Where workflows of the user's own lie; undefined when none is configured and `./workflows` is not there, and nobody
 * waits for it.
 */
export function workflowsDirOf(directory: string, config: Config): string | undefined {
  const configured = config.workflows.dir
  if (configured !== undefined) return resolve(directory, configured)
  const usual = resolve(directory, defaultDir)
  return existsSync(usual) || config.workflows.watch ? usual : undefined
}

export type OwnWorkflowsOptions = {
  store: Store
  log: Log
  /** Where the server was started: paths are told from there. */
  directory: string
  /** Absolute; undefined: there are none. */
  dir: string | undefined
  /** The directory was not named, and may come to be there later. */
  mayBeMissing?: boolean
  cacheDir: string
  builtIn: readonly CatalogueEntry[]
  builtInSteps: StepsByWorkflow
  nowMs: () => number
}

/** What comes with Kyros and what the user wrote, as the engine takes them. */
export type OwnWorkflows = {
  readonly definitions: Definitions
  /** Always the newest implementations: the object stays and its entries change. */
  readonly steps: StepsByWorkflow
  names(): string[]
  /** What to mend, with paths from the directory that the server was started in. */
  faults(): WorkflowFault[]
  /** Loads them anew on every change of a file, until `signal` aborts. */
  watch(signal: AbortSignal): void
}

/** Loads the user's workflows beside those that come with Kyros. What is wrong with them is logged and kept out. */
export async function openOwnWorkflows(options: OwnWorkflowsOptions): Promise<OwnWorkflows> {
  const { store, log, directory, dir, cacheDir, builtIn, nowMs } = options
  const taken = new Set(builtIn.map(({ name }) => name))
  const load = async (generation: number): Promise<AuthorWorkflows> => {
    if (dir === undefined || (options.mayBeMissing === true && !existsSync(dir))) {
      return { workflows: [], faults: [], refused: [] }
    }
    // Parser and bundler come with it: a server without workflows of its own does not load them.
    const { loadAuthorWorkflows } = await import('@kyros/engine/definitions/author-workflows')
    return loadAuthorWorkflows({ dir, cacheDir, taken, generation })
  }
  const steps: { [workflow: string]: StepsByWorkflow[string] } = { ...options.builtInSteps }
  const useSteps = (loaded: AuthorWorkflows) => {
    for (const { entry, steps: own } of loaded.workflows) steps[entry.name] = own
  }
  let current = await load(0)
  useSteps(current)
  const faults = () => current.faults.map((fault) => ({ ...fault, file: shortPath(directory, fault.file) }))
  const entriesOf = ({ workflows }: AuthorWorkflows) => [...builtIn, ...workflows.map(({ entry }) => entry)]
  const definitions = await prepareDefinitions({ store, workflows: entriesOf(current), cacheDir, nowMs })
  logFaults(log, faults())

  let generation = 0
  const reload = async () => {
    generation += 1
    const next = await load(generation)
    // A file that is broken right now does not take away what worked before.
    const refused = new Set(next.refused)
    const kept = current.workflows.filter(({ file }) => refused.has(file))
    const changes = await definitions.replace(entriesOf(next), new Set(kept.map(({ entry }) => entry.name)))
    useSteps(next)
    current = { ...next, workflows: [...next.workflows, ...kept] }
    logChanges(log, changes)
    logFaults(log, faults())
    for (const { entry } of kept)
      log.warn({ part: 'workflows' }, `${entry.name} stays as it was until that is mended`)
    if (changes.length === 0 && !current.faults.some(isError))
      log.info({ part: 'workflows' }, 'steps are loaded anew')
  }
  let work = Promise.resolve()
  const failed = (error: unknown) =>
    log.error({ part: 'workflows', err: error }, 'workflows were not loaded anew')
  return {
    definitions,
    steps,
    names: () => current.workflows.map(({ entry }) => entry.name),
    faults,
    watch: (signal) => {
      if (dir === undefined) return
      const onChange = () => {
        work = work.then(reload).catch(failed)
      }
      work = import('@kyros/engine/definitions/watch-directory').then(({ watchDirectory }) =>
        watchDirectory(dir, onChange, signal),
      )
    },
  }
}

const isError = ({ severity }: WorkflowFault) => severity === 'error'

/** A path as people read it: from `directory`, when it is below. */
export function shortPath(directory: string, file: string): string {
  const path = relative(directory, file)
  return path === '' || path.startsWith('..') ? file : path
}

function logFaults(log: Log, faults: readonly WorkflowFault[]): void {
  for (const fault of faults) {
    log[isError(fault) ? 'error' : 'warn']({ part: 'workflows', code: fault.code }, faultText(fault))
  }
}

function logChanges(log: Log, changes: readonly DefinitionChange[]): void {
  for (const { name, from, to } of changes) {
    const text =
      to === undefined
        ? `${name} is gone; its runs go on`
        : from === undefined
          ? `${name} is new: ${to.slice(0, 12)}`
          : `${name} changed: new runs use ${to.slice(0, 12)}, runs under way keep ${from.slice(0, 12)}`
    log.info({ part: 'workflows' }, text)
  }
}
