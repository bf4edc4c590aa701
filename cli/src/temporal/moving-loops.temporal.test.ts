import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Api, apiOf, clusterEnv, createNotingProject, stop, until } from './platform.ts'

const rounds = 60
const pauseMs = 60
const phaseMs = 1_500

const movedOf = async ({ client }: Api) =>
  (await client.call('listRuns', { query: { engine: 'temporal', limit: 200 } })).workflows

test('runs in rounds move to Temporal while a server is switched there and back under load, and each round is done once', {
  timeout: 180_000,
}, async () => {
  const project = createNotingProject()
  const temporal = clusterEnv()
  const accepted: string[] = []
  const live = async (env: Record<string, string>) => {
    const server = project.start(['up', '--no-welcome'], env)
    return { server, api: apiOf(await server.ready(), project) }
  }
  const begin = async ({ startRounds }: Api) => {
    for (const type of ['circling', 'relaying', 'relaying', 'relaying'] as const)
      accepted.push(await startRounds(type, rounds, pauseMs))
  }

  const before = await live({})
  await begin(before.api)
  await delay(phaseMs)
  await stop(before.server)

  const forward = await live(temporal)
  const first = await until(
    () => movedOf(forward.api),
    (moved) => moved.length > 0,
  )
  expect(first.every((run) => (run.continued ?? 0) > 0)).toBe(true)
  await stop(forward.server)

  // None comes back: those that moved wait for the cluster, and new ones begin here.
  const back = await live({})
  const stranded = await movedOf(back.api)
  expect(stranded.length).toBeGreaterThanOrEqual(first.length)
  await begin(back.api)
  await delay(phaseMs)
  const [one] = stranded
  const why = await back.api.client.call('whyRun', { params: { id: one?.run_id ?? '' } })
  expect(why.waits_for[0]?.detail).toContain('this server has no temporal.host_port')
  expect((await back.api.run(one?.run_id ?? '')).run_seq).toBe(one?.run_seq)
  await stop(back.server)

  const last = await live(temporal)
  await until(
    () => last.api.client.call('engineStatus'),
    ({ embedded, temporal: moved }) => Object.keys({ ...embedded.runs, ...moved.runs }).length === 0,
    120_000,
  )
  const notes = project.notes()
  const each = Array.from({ length: rounds }, (_, round) => `round-${round}`)
  for (const runId of accepted) {
    const { status, result, engine } = await last.api.run(runId)
    expect([status, result, engine]).toEqual(['completed', rounds, 'temporal'])
    expect(notes.get(runId)).toEqual(each)
  }
  expect(await stop(last.server)).toBe(0)
})
