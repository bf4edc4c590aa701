import { isId } from '@kyros/contract/id'
import { client } from '../api/client.ts'

export type Found = {
  key: string
  kind: 'page' | 'workflow' | 'job' | 'run'
  title: string
  detail: string
  href: string
}

const maxFound = 6

export const pages: readonly Found[] = [
  { key: 'home', kind: 'page', title: 'Home', detail: 'What runs and what needs you', href: '/' },
  { key: 'jobs', kind: 'page', title: 'Jobs', detail: 'What was asked for', href: '/jobs' },
  { key: 'runs', kind: 'page', title: 'Runs', detail: 'Every execution', href: '/runs' },
  { key: 'new', kind: 'page', title: 'New job', detail: 'Pick a workflow and start it', href: '/jobs/new' },
]

/** Jobs and runs that an id or some words point to. */
export async function findByText(text: string, signal: AbortSignal): Promise<Found[]> {
  return isId(text) ? findById(text, signal) : findByWords(text, signal)
}

async function findById(id: string, signal: AbortSignal): Promise<Found[]> {
  const [run, job] = await Promise.allSettled([
    client.call('getRun', { params: { id }, signal }),
    client.call('getJob', { params: { id }, signal }),
  ])
  return [
    ...(run.status === 'fulfilled' ? [toFoundRun(run.value)] : []),
    ...(job.status === 'fulfilled' ? [toFoundJob(job.value)] : []),
  ]
}

async function findByWords(q: string, signal: AbortSignal): Promise<Found[]> {
  const query = { q, limit: maxFound }
  const { jobs } = await client.call('listJobs', { query, signal })
  return jobs.map(toFoundJob)
}

function toFoundJob(job: { id: string; title: string; status: string }): Found {
  return { key: job.id, kind: 'job', title: job.title, detail: job.status, href: `/jobs/${job.id}` }
}

function toFoundRun(run: { id: string; name: string; status: string }): Found {
  return { key: run.id, kind: 'run', title: run.name, detail: run.status, href: `/runs/${run.id}` }
}
