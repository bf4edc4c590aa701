import { emptyRunState } from '@kyros/contract/run-state'
import { runStatuses } from '@kyros/contract/run-status'
import type { Store } from '@kyros/store/store'
import type { Findings } from './findings.ts'
import type { History } from './history.ts'

// The state's own field names, which Object.keys has forgotten.
const stateFields = Object.keys(emptyRunState) as (keyof typeof emptyRunState)[]

/** Runs, jobs and counts are what the fold of the log says. */
export async function checkProjections(store: Store, history: History, findings: Findings): Promise<void> {
  for (const [runId, { state, jobId }] of history.runs) {
    const record = await store.runs.get(runId)
    if (record === undefined) {
      findings.lost.push(`run ${runId} is in the log and not in the table`)
      continue
    }
    for (const field of stateFields) {
      const [stored, folded] = [JSON.stringify(record[field]), JSON.stringify(state[field])]
      if (stored !== folded)
        findings.wrong.push(`run ${runId}: ${field} is ${stored}, the log says ${folded}`)
    }
    const job = await store.jobs.get(jobId)
    if (job?.status !== state.status || job.run_id !== runId) {
      findings.wrong.push(`job ${jobId} is ${job?.status}, its run ${runId} is ${state.status}`)
    }
  }
  await checkCounts(store, history, findings)
}

async function checkCounts(store: Store, { runs }: History, findings: Findings): Promise<void> {
  const stats = await store.stats(Date.now())
  for (const status of runStatuses) {
    const folded = [...runs.values()].filter(({ state }) => state.status === status).length
    const counts = {
      'runs.list': (await store.runs.list({ status, limit: 1 })).total,
      'jobs.list': (await store.jobs.list({ status, limit: 1 })).total,
      'stats.runs': stats.runs[status] ?? 0,
      'stats.jobs': stats.jobs[status] ?? 0,
    }
    for (const [name, count] of Object.entries(counts)) {
      if (count !== undefined && count !== folded) {
        findings.wrong.push(`${name} counts ${count} ${status}, the log ${folded}`)
      }
    }
  }
}
