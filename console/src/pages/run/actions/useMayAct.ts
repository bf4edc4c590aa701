import type { Run } from '@kyros/contract/run'
import { useQuery } from '@tanstack/react-query'
import { jobQuery } from '../../../api/queries.ts'
import { useRights } from '../../../api/useRights.ts'

/** Whether this person may change the run: it belongs to who submitted its job, whoever started this try of it. */
export function useMayAct(run: Pick<Run, 'job_id'>): boolean {
  const rights = useRights()
  const { data: job } = useQuery(jobQuery(run.job_id))
  return rights.mayActOn(job?.created_by)
}
