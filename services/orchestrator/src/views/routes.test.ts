import { maxViewsPerUser, type SavedView } from '@kyros/contract/saved-view'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

type Who = 'viewer' | 'operator' | 'other'
const save = (payload: object, as: Who = 'operator') =>
  platform.send('POST', '/api/v1/views', { as, payload })
const remove = (id: string, as: Who = 'operator') => platform.send('DELETE', `/api/v1/views/${id}`, { as })
async function viewsOf(as: Who, query = ''): Promise<SavedView[]> {
  return (await platform.send('GET', `/api/v1/views${query}`, { as })).json().views
}

beforeEach(async () => {
  for (const as of ['viewer', 'operator', 'other'] as const)
    for (const { id } of await viewsOf(as)) await remove(id, as)
})

describe('a saved view', () => {
  test('is listed by name, on its list, for who saved it alone', async () => {
    const failed = { list: 'runs', name: ' Failed today ', query: 'status:failed since:24h' }
    const answer = await save(failed)
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({ ...failed, name: 'Failed today' })
    await save({ list: 'runs', name: 'All', query: '' })
    await save({ list: 'jobs', name: 'Mine', query: 'text' })
    expect((await viewsOf('operator', '?list=runs')).map(({ name }) => name)).toEqual(['All', 'Failed today'])
    expect(await viewsOf('operator')).toHaveLength(3)
    expect(await viewsOf('other')).toEqual([])
  })

  test('is replaced by one of the same name on the same list', async () => {
    const first = (await save({ list: 'jobs', name: 'Mine', query: 'a' })).json()
    const second = (await save({ list: 'jobs', name: 'Mine', query: 'b' })).json()
    expect(second).toEqual({ ...first, query: 'b' })
    await save({ list: 'runs', name: 'Mine', query: 'c' })
    await save({ list: 'jobs', name: 'Mine', query: 'd' }, 'other')
    expect((await viewsOf('operator')).map(({ query }) => query).toSorted()).toEqual(['b', 'c'])
  })

  test('is deleted by who saved it, once', async () => {
    const { id } = (await save({ list: 'jobs', name: 'Mine', query: '' })).json()
    const foreign = await remove(id, 'other')
    expect([foreign.statusCode, foreign.json().code]).toEqual([404, 'view_not_found'])
    expect((await remove(id)).statusCode).toBe(200)
    expect((await remove(id)).json().code).toBe('view_not_found')
    expect(await viewsOf('operator')).toEqual([])
  })

  test('may be kept by someone who may only look', async () => {
    expect((await save({ list: 'jobs', name: 'Mine', query: '' }, 'viewer')).statusCode).toBe(201)
  })

  test.each([
    ['of an unknown list', { list: 'agents', name: 'a', query: '' }],
    ['without a name', { list: 'jobs', name: '  ', query: '' }],
    ['with a name that is too long', { list: 'jobs', name: 'x'.repeat(81), query: '' }],
    ['with a query that is too long', { list: 'jobs', name: 'a', query: 'x'.repeat(501) }],
  ])('%s is refused', async (_name, body) => {
    const answer = await save(body)
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'request_invalid'])
  })

  test('beyond the limit is refused, while one that is there can still be changed', async () => {
    const made = Array.from({ length: maxViewsPerUser + 1 }, (_, index) =>
      save({ list: index % 2 === 0 ? 'jobs' : 'runs', name: `View ${index}`, query: '' }),
    )
    const codes = (await Promise.all(made)).map((answer) => answer.json().code).filter(Boolean)
    expect(codes).toEqual(['view_limit_reached'])
    const [known] = await viewsOf('operator')
    const changed = await save({ list: known?.list, name: known?.name, query: 'new' })
    expect([changed.statusCode, changed.json().id]).toEqual([201, known?.id])
  })
})
