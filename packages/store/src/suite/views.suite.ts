import { expect, test } from 'vitest'
import type { Store } from '../store.ts'
import { expectProblem, newId, startMs } from './rig.ts'

export function testViews(store: () => Store): void {
  const userId = newId()
  const create = (name: string, fields: { userId?: string; query?: string } = {}) => {
    const view = {
      id: newId(),
      userId,
      list: 'jobs',
      name,
      query: '',
      createdMs: startMs,
      ...fields,
    } as const
    return store().write({ kind: 'create_view', view, maxViews: 2 })
  }

  test('views are read by name, of one user and one list', async () => {
    const b = await create('b')
    const a = await create('a', { query: 'status:failed' })
    await create('c', { userId: newId() })
    expect(await store().views.ofUser(userId)).toEqual([
      {
        id: a.id,
        list: 'jobs',
        name: 'a',
        query: 'status:failed',
        created_at: '2026-01-01T00:00:00.000Z',
      },
      { id: b.id, list: 'jobs', name: 'b', query: '', created_at: '2026-01-01T00:00:00.000Z' },
    ])
    expect(await store().views.ofUser(userId, 'runs')).toEqual([])
  })

  test('a view of a name that is taken replaces it and keeps its id', async () => {
    const first = await create('a')
    expect(await create('a', { query: 'new' })).toEqual(first)
    expect(await store().views.ofUser(userId)).toMatchObject([{ id: first.id, query: 'new' }])
  })

  test('one view too many leaves nothing, even when two come at once', async () => {
    await create('a')
    const both = await Promise.allSettled([create('b'), create('c')])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await expectProblem(create('d'), 'view_limit_reached')
    expect(await store().views.ofUser(userId)).toHaveLength(2)
    await create('a', { query: 'still changes' })
  })

  test('a view is deleted by its user alone', async () => {
    const { id } = await create('a')
    const remove = (user: string) => store().write({ kind: 'delete_view', id, userId: user })
    expect(await remove(newId())).toEqual({ deleted: false })
    expect(await remove(userId)).toEqual({ deleted: true })
    expect(await remove(userId)).toEqual({ deleted: false })
    expect(await store().views.ofUser(userId)).toEqual([])
  })
}
