import { api } from '@kyros/contract/api'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'

export function registerProjectRoutes(app: FastifyInstance, { store }: ApiContext): void {
  registerRoute(app, api.listProjects, async ({ query }) => {
    const { items, nextCursor, total } = await store.projects.list(query)
    return { projects: items, next_cursor: nextCursor, ...(total !== undefined && { total }) }
  })
}
