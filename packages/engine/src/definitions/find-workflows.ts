import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import { messageOf } from '../error-text.ts'
import { errorAt } from './fault.ts'

/** The files of one workflow: `pay.workflow.ts` with `pay.steps.ts`, or a folder with `workflow.ts` and `steps.ts`. */
export type WorkflowFiles = {
  /** For people: the path below the directory, without endings. */
  label: string
  definition: string
  /** Absolute; undefined when there is no such file. */
  steps: string | undefined
  /** Where the steps are expected. */
  stepsExpected: string
}

const definitionFile = /^(?:(.+)\.)?workflow\.(ts|mts|js|mjs)$/
const endings = ['ts', 'mts', 'js', 'mjs']
const maxDepth = 4
const maxWorkflows = 500

/** Every workflow below a directory, in the order of their paths. */
export async function findWorkflows(
  dir: string,
): Promise<{ found: WorkflowFiles[]; faults: WorkflowFault[] }> {
  const found: WorkflowFiles[] = []
  const faults: WorkflowFault[] = []
  await search(dir, 0, dir, found, faults)
  found.sort((a, b) => (a.definition < b.definition ? -1 : 1))
  if (found.length > maxWorkflows) {
    const message = `holds ${found.length} workflows, of which the first ${maxWorkflows} are read`
    faults.push(errorAt({ file: dir, line: null }, 'directory_unreadable', message, 'split it'))
  }
  return { found: found.slice(0, maxWorkflows), faults }
}

async function search(
  dir: string,
  depth: number,
  top: string,
  found: WorkflowFiles[],
  faults: WorkflowFault[],
): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    const message = `cannot be read (${messageOf(error)})`
    faults.push(
      errorAt(
        { file: dir, line: null },
        'directory_unreadable',
        message,
        'set workflows.dir to a directory that is there',
      ),
    )
    return []
  })
  const names = new Set(entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name))
  for (const name of names) {
    const match = definitionFile.exec(name)
    if (match !== null) found.push(filesOf(dir, top, name, match[1], names))
  }
  for (const entry of entries) {
    const isOwn = entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules'
    if (isOwn && depth < maxDepth) await search(join(dir, entry.name), depth + 1, top, found, faults)
  }
}

function filesOf(
  dir: string,
  top: string,
  name: string,
  stem: string | undefined,
  names: ReadonlySet<string>,
): WorkflowFiles {
  const stepsName = (ending: string) => (stem === undefined ? `steps.${ending}` : `${stem}.steps.${ending}`)
  const there = endings.map(stepsName).find((candidate) => names.has(candidate))
  const place = stem === undefined ? dir : join(dir, stem)
  return {
    label: place === top ? basename(dirname(join(top, name))) : place.slice(top.length + 1),
    definition: join(dir, name),
    steps: there === undefined ? undefined : join(dir, there),
    stepsExpected: join(dir, stepsName('ts')),
  }
}
