import type { Answer } from '@kyros/contract/operation'
import type { CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printTable } from '../command-line/table.ts'
import { connect } from '../connect/connect.ts'
import { printFault } from '../workflows/check.ts'

type Version = Answer<'listWorkflowVersions'>['versions'][number]

const columns = [
  { title: 'WORKFLOW', value: (version: Version) => version.workflow },
  { title: 'VERSION', value: (version: Version) => version.version },
  { title: 'DEFINITION', value: (version: Version) => version.definition.slice(0, 12) },
  { title: 'NEWEST', value: (version: Version) => (version.is_newest ? 'yes' : '-') },
  { title: 'LIVE RUNS', value: (version: Version) => String(version.live_runs), align: 'right' as const },
  { title: 'SINCE', value: (version: Version) => version.created_at },
]

/**
 * `kyros workflows`: every definition that is kept, how many runs have not ended on it, and what keeps others from being
 * used.
 */
export const listVersions: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const [answer, { faults }] = await Promise.all([
    client.call('listWorkflowVersions'),
    client.call('listWorkflowTypes'),
  ])
  if (context.wantsJson) context.terminal.json({ ...answer, faults })
  else {
    printTable(context.terminal, columns, answer.versions)
    for (const fault of faults) printFault(context, fault)
  }
  return exitCode.done
}
