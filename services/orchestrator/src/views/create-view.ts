import { maxViewsPerUser, type SavedView, type SavedViewCreate } from '@kyros/contract/saved-view'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'

/** Keeps a filter under a name; one of that name on that list is replaced. @throws view_limit_reached */
export async function createView(
  { store, clock, newId }: ApiContext,
  { list, name, query }: SavedViewCreate,
  { userId }: Caller,
): Promise<SavedView> {
  const view = { id: newId(), userId, list, name: name.trim(), query, createdMs: clock.nowMs() }
  const { id, createdMs } = await store.write({ kind: 'create_view', view, maxViews: maxViewsPerUser })
  return { id, list, name: view.name, query, created_at: new Date(createdMs).toISOString() }
}
