import { atLeast } from '@kyros/contract/auth'
import type { Job } from '@kyros/contract/job'
import { mayActOn } from '@kyros/contract/ownership'
import { problem } from '@kyros/contract/problem'
import type { Caller } from '@kyros/kernel/verifier'
import type { Store } from '@kyros/store/store'

/**
 * Only who created a job, in person or with a key, may stop, repeat or delete its work; admins may for everybody.
 * @throws permission_denied
 */
export async function mustOwn(
  store: Store,
  job: Pick<Job, 'id' | 'created_by'>,
  caller: Caller,
): Promise<void> {
  const { created_by: owner } = job
  if (await owns(store, owner, caller)) return
  throw problem('permission_denied', {
    detail: `The job ${job.id} was created by ${owner}. Ask them or an admin to do this; jobs of your own you may cancel, retry and delete.`,
  })
}

async function owns(store: Store, owner: string, caller: Caller): Promise<boolean> {
  if (!atLeast(caller.role, 'operator')) return false
  if (owner === caller.id || mayActOn(caller, owner, [])) return true
  const keys = owner.startsWith('key:') ? await store.apiKeys.ofUser(caller.userId) : []
  return mayActOn(caller, owner, keys)
}

/** Whether the caller may stop, change and answer a run. Of a run that is gone nobody may. */
export async function mayActOnRun(store: Store, runId: string, caller: Caller): Promise<boolean> {
  const run = await store.runs.get(runId)
  const job = run && (await store.jobs.get(run.job_id))
  return job !== undefined && owns(store, job.created_by, caller)
}

/** The same as `mustOwn` for the job of a run; a job that is just being deleted is nobody's obstacle. @throws permission_denied */
export async function mustOwnRun(store: Store, jobId: string, caller: Caller): Promise<void> {
  const job = await store.jobs.get(jobId)
  if (job !== undefined) await mustOwn(store, job, caller)
}
