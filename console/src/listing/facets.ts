import type { Answer } from '@kyros/contract/operation'
import { runStatuses } from '@kyros/contract/run-status'
import { words } from '../ui/StatusLabel.tsx'
import type { Facet } from './FilterBar.tsx'

type Types = Answer<'listWorkflowTypes'>['workflow_types']

/** The clickable filters of a list of jobs or runs; statuses that nothing is in are left out. */
export function listFacets(
  counts: Readonly<Record<string, number>> | undefined,
  types: Types | undefined,
  chosenStatus: string | undefined,
): Facet[] {
  const statuses = runStatuses
    .filter((status) => (counts?.[status] ?? 0) > 0 || status === chosenStatus)
    .map((status) => ({ value: status, label: words(status), count: counts?.[status] ?? 0 }))
  const workflows = (types ?? []).map(({ name, title }) => ({ value: name, label: title }))
  const times = ['1h', '24h', '7d'].map((value) => ({ value, label: `last ${value}` }))
  return [
    { key: 'status', label: 'Status', values: statuses },
    { key: 'since', label: 'Since', values: times },
    ...(workflows.length > 1 ? [{ key: 'workflow' as const, label: 'Workflow', values: workflows }] : []),
  ]
}
