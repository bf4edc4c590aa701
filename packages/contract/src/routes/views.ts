import { Type } from 'typebox'
import { Id } from '../id.ts'
import { routes } from '../route.ts'
import { SavedView, SavedViewCreate, ViewList } from '../saved-view.ts'

export const viewRoutes = routes({
  listViews: {
    method: 'GET',
    path: '/api/v1/views',
    tag: 'Views',
    summary: 'List your saved views by name',
    permission: 'viewer',
    query: Type.Object({ list: Type.Optional(ViewList) }),
    success: { status: 200, schema: Type.Object({ views: Type.Array(SavedView) }) },
  },
  createView: {
    method: 'POST',
    path: '/api/v1/views',
    tag: 'Views',
    summary: 'Save a filter under a name; one of that name on that list is replaced',
    permission: 'viewer',
    body: SavedViewCreate,
    success: { status: 201, schema: SavedView },
    problems: ['view_limit_reached'],
  },
  deleteView: {
    method: 'DELETE',
    path: '/api/v1/views/{id}',
    tag: 'Views',
    summary: 'Delete one of your saved views',
    permission: 'viewer',
    params: Type.Object({ id: Id }),
    success: { status: 200, schema: Type.Object({ message: Type.String() }) },
    problems: ['view_not_found'],
  },
})
