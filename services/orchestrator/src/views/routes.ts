import { api } from '@kyros/contract/api'
import { problem } from '@kyros/contract/problem'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { createView } from './create-view.ts'

/** Views belong to the user, whichever session or API key asks. */
export function registerViewRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store } = context
  registerRoute(app, api.listViews, async ({ query, caller }) => ({
    views: await store.views.ofUser(caller.userId, query.list),
  }))
  registerRoute(app, api.createView, ({ body, caller }) => createView(context, body, caller))
  registerRoute(app, api.deleteView, async ({ params, caller }) => {
    const { deleted } = await store.write({ kind: 'delete_view', id: params.id, userId: caller.userId })
    if (!deleted)
      throw problem('view_not_found', { detail: `You have no view ${params.id}; it may be deleted already.` })
    return { message: 'The view is deleted.' }
  })
}
