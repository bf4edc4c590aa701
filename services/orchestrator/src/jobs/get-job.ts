import type { Job } from '@kyros/contract/job'
import { problem } from '@kyros/contract/problem'
import type { Store } from '@kyros/store/store'
import { jobAt } from '../past/state-at.ts'
import { readPayload } from '../runs/read-payload.ts'

/** The job as it is, or as it was after the event `untilSeq`. @throws job_not_found */
export async function getJob(store: Store, id: string, untilSeq?: number): Promise<Job> {
  const job = await store.jobs.get(id)
  if (job === undefined) {
    throw problem('job_not_found', {
      detail: `There is no job ${id}, or it was deleted. GET /api/v1/jobs lists the jobs there are.`,
    })
  }
  const then = untilSeq === undefined ? job : await jobAt(store, job, untilSeq)
  if (then === undefined) {
    throw problem('job_not_found', {
      detail: `There was no job ${id} yet after event ${untilSeq}. It was created at ${job.created_at}.`,
    })
  }
  const [input, result] = [await readPayload(store, then.input), await readPayload(store, then.result)]
  return { ...then, input, result }
}
