import type { Answer } from '@kyros/contract/operation'
import type { CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printTable } from '../command-line/table.ts'
import { connect } from '../connect/connect.ts'

type Version = Answer<'listWorkflowVersions'>['versions'][number]

const columns = [
  { title: 'WORKFLOW', value: (version: Version) => version.workflow },
  { title: 'VERSION', value: (version: Version) => version.version },
  { title: 'DEFINITION', value: (version: Version) => version.definition.slice(0, 12) },
  { title: 'NEWEST', value: (version: Version) => (version.is_newest ? 'yes' : '-') },
  { title: 'LIVE RUNS', value: (version: Version) => String(version.live_runs), align: 'right' as const },
  { title: 'SINCE', value: (version: Version) => version.created_at },
]

/** `kyros workflows`: every definition that is kept, and how many runs have not ended on it. */
export const listVersions: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const answer = await client.call('listWorkflowVersions')
  if (context.wantsJson) context.terminal.json(answer)
  else printTable(context.terminal, columns, answer.versions)
  return exitCode.done
}
