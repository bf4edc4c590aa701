import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import { loadAuthorWorkflows } from '@kyros/engine/definitions/author-workflows'
import { catalogue } from '@kyros/workflows/catalogue'
import { shortPath } from '../compose/own-workflows.ts'

export type CheckedWorkflows = {
  workflows: { name: string; version: string; title: string; steps: string[]; file: string }[]
  faults: WorkflowFault[]
}

/** Loads the workflows of a directory as a server would, without one. Runs the code that their files run when loaded. */
export async function checkWorkflows(dir: string, directory: string): Promise<CheckedWorkflows> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'kyros-check-'))
  try {
    const taken = new Set(catalogue.map(({ name }) => name))
    const { workflows, faults } = await loadAuthorWorkflows({ dir, cacheDir, taken })
    return {
      workflows: workflows.map(({ entry, file, steps }) => ({
        name: entry.name,
        version: entry.version,
        title: entry.title,
        steps: Object.keys(steps),
        file: shortPath(directory, file),
      })),
      faults: faults.map((fault) => ({ ...fault, file: shortPath(directory, fault.file) })),
    }
  } finally {
    rmSync(cacheDir, { recursive: true, force: true })
  }
}
