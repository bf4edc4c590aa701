import { api } from '@kyros/contract/api'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { archiveOldJobs } from './archive-old-jobs.ts'

const dayMs = 24 * 3_600_000

export function registerRetentionRoutes(app: FastifyInstance, context: ApiContext): void {
  registerRoute(app, api.archiveJobs, async ({ body }) => {
    const { jobs, runs, archive, hasMore } = await archiveOldJobs(context, body.older_than_days * dayMs)
    return { jobs, runs, archive: archive ?? null, has_more: hasMore }
  })
}
