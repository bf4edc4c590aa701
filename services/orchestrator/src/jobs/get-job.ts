import type { Job } from '@kyros/contract/job'
import { problem } from '@kyros/contract/problem'
import type { Store } from '@kyros/store/store'
import { readPayload } from '../runs/read-payload.ts'

/** @throws job_not_found */
export async function getJob(store: Store, id: string): Promise<Job> {
  const job = await store.jobs.get(id)
  if (job === undefined) {
    throw problem('job_not_found', {
      detail: `There is no job ${id}, or it was deleted. GET /api/v1/jobs lists the jobs there are.`,
    })
  }
  return { ...job, result: await readPayload(store, job.result) }
}
