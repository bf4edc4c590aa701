import { Search } from '@carbon/react'
import type { WorkflowType } from '@kyros/contract/job'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { jobQuery, workflowTypesQuery } from '../../api/queries.ts'
import { useRights } from '../../api/useRights.ts'
import { PageHead } from '../../ui/PageHead.tsx'
import { EmptyState, ErrorState, LoadingLines } from '../../ui/PageState.tsx'
import { findTypes } from './find-types.ts'
import { JobForm } from './JobForm.tsx'

const route = getRouteApi('/frame/jobs/new')

export function NewJobPage() {
  const { workflow, from } = route.useSearch()
  const { data: types, error, isPending, refetch } = useQuery(workflowTypesQuery)
  const earlier = useQuery({ ...jobQuery(from ?? ''), enabled: from !== undefined })
  const isReady = !isPending && (from === undefined || !earlier.isPending)
  const { mayCreate } = useRights()
  if (!mayCreate) return <OnlyLooking />
  return (
    <div className="k-page k-page--form">
      <PageHead title="New job" lead="Pick what is to be done, say with what, and watch it happen." />
      {!isReady && <LoadingLines lines={6} label="Loading the workflows" />}
      {error !== null && <ErrorState error={error} onRetry={() => void refetch()} />}
      {isReady && types !== undefined && (
        <PickAndFill
          types={types}
          chosen={workflow ?? earlier.data?.workflow ?? undefined}
          earlier={earlier.data}
        />
      )}
    </div>
  )
}

function OnlyLooking() {
  return (
    <div className="k-page k-page--form">
      <PageHead title="New job" />
      <EmptyState title="You may look, but not start jobs">
        Ask an admin for the role operator, then come back here.
      </EmptyState>
    </div>
  )
}

/** So many are seen at a glance. */
const maxUnsearched = 8

type PickProps = {
  types: readonly WorkflowType[]
  chosen: string | undefined
  earlier: { title: string; input: unknown } | undefined
}

function PickAndFill({ types, chosen, earlier }: PickProps) {
  const navigate = useNavigate()
  const only = types.length === 1 ? types[0] : undefined
  const type = types.find(({ name }) => name === chosen) ?? only
  const [search, setSearch] = useState('')
  const shown = findTypes(types, search)
  if (types.length === 0) {
    return (
      <EmptyState title="No workflow can run here">This server was started without any workflow.</EmptyState>
    )
  }
  return (
    <>
      {chosen !== undefined && type?.name !== chosen && (
        <p className="k-notice k-notice--error">{`There is no workflow “${chosen}” here.`}</p>
      )}
      {types.length > maxUnsearched && (
        <Search
          labelText="Find a workflow"
          placeholder={`Find one of ${types.length} workflows`}
          size="md"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      <fieldset className="k-workflows">
        <legend>Workflow</legend>
        {shown.length === 0 && <p className="k-faint">No workflow has these words.</p>}
        {shown.map((option) => (
          <label key={option.name} className={option === type ? 'k-workflow k-workflow--on' : 'k-workflow'}>
            <input
              type="radio"
              name="workflow"
              checked={option === type}
              onChange={() =>
                void navigate({ to: '/jobs/new', search: { workflow: option.name }, replace: true })
              }
            />
            <span>
              <strong>{option.title}</strong>
              <span className="k-workflow__name">{`${option.name}@${option.version}`}</span>
              <span className="k-workflow__text">{option.description}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {type !== undefined && <JobForm key={type.name} type={type} earlier={earlier} />}
    </>
  )
}
