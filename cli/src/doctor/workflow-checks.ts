import { workflowsDirOf } from '../compose/own-workflows.ts'
import { checkWorkflows } from '../workflows/check-workflows.ts'
import type { Check, Finding } from './check.ts'

const name = 'workflows'

/** Workflows of the user's own: each thing to mend, or how many there are. */
export const ownWorkflows: Check = async ({ config, directory }) => {
  const dir = workflowsDirOf(directory, config)
  if (dir === undefined) return [{ name, status: 'ok', detail: 'none of your own (`kyros init` makes one)' }]
  const { workflows, faults } = await checkWorkflows(dir, directory)
  const findings = faults.map(({ severity, file, line, message, hint }): Finding => {
    const status = severity === 'error' ? 'fault' : 'warning'
    return { name, status, detail: `${line === null ? file : `${file}:${line}`} ${message}`, mend: hint }
  })
  const known = workflows.map((workflow) => workflow.name).join(', ')
  return [
    ...findings,
    { name, status: 'ok', detail: `${workflows.length} of your own in ${dir}${known && `: ${known}`}` },
  ]
}
