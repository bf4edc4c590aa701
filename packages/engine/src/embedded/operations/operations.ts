import { type ProblemError, problem } from '@kyros/contract/problem'
import type { RunOperations } from '../../engine.ts'
import type { EngineParts } from '../engine-parts.ts'
import type { RunTable } from '../run-table.ts'
import type { SubmitterOptions } from '../submit.ts'

export type OperationsOptions = Pick<SubmitterOptions, 'mustAnnounce' | 'onAccepted'> & {
  parts: EngineParts
  table: RunTable
  /** True while this process runs the engine. */
  isHeld: () => boolean
}

/** What is done to runs from outside, on the engine that the options are parts of. */
export function createOperations(_options: OperationsOptions): RunOperations {
  return {
    pause: async () => refuse('pause'),
    resume: async () => refuse('resume'),
    fork: async () => refuse('fork'),
    upgrade: async () => refuse('upgrade'),
    setBudget: async () => refuse('setBudget'),
    reportUsage: async () => refuse('reportUsage'),
    query: async () => refuse('query'),
    update: async () => refuse('update'),
    completeWaitpoint: async () => refuse('completeWaitpoint'),
    describeWaitpoint: async () => refuse('describeWaitpoint'),
    stream: () => {
      throw notBuilt('stream')
    },
    definitions: async () => refuse('definitions'),
  }
}

function notBuilt(what: string): ProblemError {
  return problem('service_not_ready', { detail: `This engine cannot ${what} yet.` })
}

function refuse(what: string): never {
  throw notBuilt(what)
}
