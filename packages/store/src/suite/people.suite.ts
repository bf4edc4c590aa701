import type { Role } from '@kyros/contract/auth'
import { expect, test } from 'vitest'
import type { NewUser } from '../command.ts'
import type { Store } from '../store.ts'
import { expectProblem, newId, readLog, startMs } from './rig.ts'

const dayMs = 24 * 60 * 60 * 1000
const graceMs = 10_000

function newUser(email: string, role: Role = 'admin'): NewUser {
  return { id: newId(), email, passwordHash: 'hash', role, createdMs: startMs }
}

async function addUser(store: Store, email = 'ada@example.org'): Promise<NewUser> {
  const user = newUser(email)
  await store.write({ kind: 'create_user', user, actor: 'setup' })
  return user
}

function token(hash: string, expiresMs = startMs + dayMs) {
  return { id: newId(), hash, expiresMs }
}

async function signIn(store: Store, userId: string, hash: string, atMs = startMs): Promise<string> {
  const id = newId()
  const session = {
    id,
    userId,
    client: 'test',
    address: '127.0.0.1',
    createdMs: atMs,
    expiresMs: atMs + dayMs,
  }
  const refresh = token(hash, atMs + dayMs)
  await store.write({ kind: 'create_session', session, token: refresh, timeMs: atMs })
  return id
}

function rotate(store: Store, from: string, to: string, timeMs: number) {
  return store.write({ kind: 'rotate_session', tokenHash: from, next: token(to), timeMs, graceMs })
}

export function testPeople(store: () => Store): void {
  test('a user is found by id and by address in any case, and an address is taken once', async () => {
    const user = await addUser(store(), 'Ada@Example.org')
    const record = {
      ...{ id: user.id, email: 'ada@example.org', username: 'ada@example.org', role: 'admin', active: true },
      created_at: '2026-01-01T00:00:00.000Z',
    }
    expect(await store().users.byEmail('ADA@example.org')).toEqual({ ...record, password_hash: 'hash' })
    expect(await store().users.get(user.id)).toMatchObject(record)
    expect(await store().users.list()).toEqual([record])
    expect(await store().users.byEmail('eve@example.org')).toBeUndefined()
    expect(await store().users.get(newId())).toBeUndefined()
    await expectProblem(addUser(store(), 'ada@example.org'), 'user_exists')
    expect(await store().users.count()).toBe(1)
  })

  test('the first admin is made once', async () => {
    const first = (email: string) =>
      store().write({ kind: 'create_user', user: newUser(email), actor: 'setup', onlyIfNone: true })
    const made = await Promise.all([first('a@example.org'), first('b@example.org')])
    expect(made).toEqual([{ created: true }, { created: false }])
    expect(await store().users.count()).toBe(1)
  })

  test('a password is replaced, and that is on record without it', async () => {
    const user = await addUser(store())
    const change = {
      kind: 'set_password',
      userId: user.id,
      passwordHash: 'new',
      actor: user.id,
      timeMs: startMs,
    } as const
    await store().write(change)
    expect((await store().users.get(user.id))?.password_hash).toBe('new')
    await expect(store().write({ ...change, userId: newId() })).rejects.toThrow('no user')
    const log = await readLog(store())
    expect(log.map((event) => event.type)).toEqual(['user.created', 'user.updated'])
    expect(JSON.stringify(log)).not.toContain('new"')
  })

  testSessions(store)
  testPruning(store)
  testApiKeys(store)
}

function testSessions(store: () => Store): void {
  test('a session lives until it expires or is revoked', async () => {
    const user = await addUser(store())
    const id = await signIn(store(), user.id, 't1')
    expect(await store().sessions.isLive(id, startMs)).toBe(true)
    expect(await store().sessions.isLive(id, startMs + dayMs)).toBe(false)
    expect(await store().sessions.ofUser(user.id, startMs)).toMatchObject([
      { id, user_id: user.id, client: 'test' },
    ])
    const epoch = await store().sessions.revocationEpoch()
    const revoke = { kind: 'revoke_session', sessionId: id, actor: user.id, timeMs: startMs } as const
    expect(await store().write({ ...revoke, userId: newId() })).toEqual({ revoked: false })
    expect(await store().sessions.revocationEpoch()).toBe(epoch)
    expect(await store().write({ ...revoke, userId: user.id })).toEqual({ revoked: true })
    expect(await store().write(revoke)).toEqual({ revoked: false })
    expect(await store().sessions.isLive(id, startMs)).toBe(false)
    expect(await store().sessions.ofUser(user.id, startMs)).toEqual([])
    expect(await store().sessions.revocationEpoch()).toBeGreaterThan(epoch)
  })

  test('a refresh token is traded once, and again only within its grace', async () => {
    const user = await addUser(store())
    const sessionId = await signIn(store(), user.id, 't1')
    expect(await rotate(store(), 't1', 't2', startMs + 1)).toEqual({ sessionId, userId: user.id })
    expect(await rotate(store(), 't1', 't2b', startMs + graceMs)).toEqual({ sessionId, userId: user.id })
    expect(await rotate(store(), 't2', 't3', startMs + 2)).toEqual({ sessionId, userId: user.id })
    await expectProblem(rotate(store(), 'unknown', 't4', startMs + 3), 'refresh_token_invalid')
    await expectProblem(rotate(store(), 't3', 't4', startMs + 2 * dayMs), 'refresh_token_invalid')
  })

  test('a token used again later takes its session away, and that is kept although the trade fails', async () => {
    const user = await addUser(store())
    const sessionId = await signIn(store(), user.id, 't1')
    await rotate(store(), 't1', 't2', startMs)
    await store().sessions.revocationEpoch()
    await expectProblem(rotate(store(), 't1', 't3', startMs + graceMs + 1), 'refresh_token_invalid')
    expect(await store().sessions.isLive(sessionId, startMs + graceMs)).toBe(false)
    expect(await store().sessions.revocationEpoch()).toBe(1)
    await expectProblem(rotate(store(), 't2', 't4', startMs + graceMs + 2), 'refresh_token_invalid')
    expect((await readLog(store())).map((event) => event.type)).toEqual([
      ...['user.created', 'session.created', 'session.refreshed', 'session.reused', 'session.revoked'],
    ])
  })
}

function testPruning(store: () => Store): void {
  test('sessions that have ended go with their tokens, some with every sign-in', async () => {
    const user = await addUser(store())
    const ids: string[] = []
    for (let index = 0; index < 12; index++) ids.push(await signIn(store(), user.id, `old-${index}`))
    const revoked = await signIn(store(), user.id, 'revoked')
    await store().write({ kind: 'revoke_session', sessionId: revoked, actor: user.id, timeMs: startMs })
    const later = startMs + dayMs
    const live: string[] = []
    for (const hash of ['a', 'b']) live.push(await signIn(store(), user.id, hash, later))
    // Read as of the first day, when they had not expired: only what is gone is missing.
    const kept = (await store().sessions.ofUser(user.id, startMs)).map(({ id }) => id)
    expect(kept.toSorted()).toEqual(live.toSorted())
    await expectProblem(rotate(store(), 'old-1', 'x', startMs), 'refresh_token_invalid')
    await rotate(store(), 'a', 'a2', later + 1)
    expect(await store().sessions.isLive(live[0] ?? '', later)).toBe(true)
  })
}

function testApiKeys(store: () => Store): void {
  test('an API key is found by its hash until it is revoked', async () => {
    const user = await addUser(store())
    const id = newId()
    const apiKey = {
      ...{ id, userId: user.id, name: 'ci', prefix: 'ky_1', hash: 'h', role: 'operator' as const },
      ...{ createdMs: startMs, expiresMs: startMs + dayMs },
    }
    await store().write({ kind: 'create_api_key', apiKey, actor: user.id })
    const shown = {
      ...{ id, name: 'ci', prefix: 'ky_1', role: 'operator', user_id: user.id, last_used_at: null },
      ...{ created_at: '2026-01-01T00:00:00.000Z', expires_at: '2026-01-02T00:00:00.000Z' },
    }
    expect(await store().apiKeys.ofUser(user.id)).toEqual([shown])
    expect(await store().apiKeys.byHash('h')).toMatchObject({
      ...shown,
      user: { id: user.id, role: 'admin' },
    })
    await store().write({ kind: 'touch_api_key', id, timeMs: startMs + 5 })
    expect((await store().apiKeys.byHash('h'))?.last_used_at).toBe('2026-01-01T00:00:00.005Z')
    const revoke = { kind: 'revoke_api_key', id, actor: user.id, timeMs: startMs } as const
    expect(await store().write({ ...revoke, userId: newId() })).toEqual({ revoked: false })
    expect(await store().write(revoke)).toEqual({ revoked: true })
    expect(await store().apiKeys.byHash('h')).toBeUndefined()
    expect(await store().apiKeys.ofUser(user.id)).toEqual([])
    expect(await store().sessions.revocationEpoch()).toBe(1)
  })
}
