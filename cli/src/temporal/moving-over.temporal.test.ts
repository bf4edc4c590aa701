import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Api, apiOf, clusterEnv, createNotingProject, stop, until } from './platform.ts'

const everyMs = 50
const phaseMs = 3_000
const pauseMs = 200

test('runs that are started while a server moves to Temporal and back end once each, and none is lost', {
  timeout: 150_000,
}, async () => {
  const project = createNotingProject()
  const temporal = clusterEnv()
  const accepted: string[] = []
  let current: Api | undefined
  let isOver = false
  const asking = new Set<Promise<void>>()
  const load = (async () => {
    while (!isOver) {
      const one = (async () => {
        const runId = await current?.startNoting(pauseMs)
        if (runId !== undefined) accepted.push(runId)
      })()
      asking.add(one)
      void one.finally(() => asking.delete(one))
      await delay(everyMs)
    }
    await Promise.all(asking)
  })()

  const counts: number[] = []
  const live = async (env: Record<string, string>) => {
    const before = accepted.length
    const server = project.start(['up', '--no-welcome'], env)
    current = apiOf(await server.ready(), project)
    await delay(phaseMs)
    counts.push(accepted.length - before)
    return server
  }
  await stop(await live({}))
  await stop(await live(temporal))
  const back = await live({})
  const here = apiOf(await back.ready(), project).client
  expect(await here.call('engineStatus')).toMatchObject({
    embedded: { takes_new_runs: true },
    temporal: { cluster: null },
  })
  const { workflows } = await here.call('listRuns', { query: { engine: 'temporal', limit: 200 } })
  const stranded = workflows.find((run) => run.completed_at === null)
  const why = await here.call('whyRun', { params: { id: stranded?.id ?? '' } })
  expect(why.waits_for[0]?.detail).toContain('this server has no temporal.host_port')
  isOver = true
  await load
  await stop(back)

  const last = project.start(['up', '--no-welcome'], temporal)
  const api = apiOf(await last.ready(), project)
  await until(
    () => api.client.call('engineStatus'),
    ({ embedded, temporal: moved }) => Object.keys({ ...embedded.runs, ...moved.runs }).length === 0,
    90_000,
  )
  const notes = project.notes()
  const engines = new Set<string>()
  for (const runId of accepted) {
    const { status: ended, engine = 'embedded' } = await api.run(runId)
    engines.add(engine)
    expect([runId, ended, notes.get(runId)]).toEqual([runId, 'completed', ['first', 'second']])
  }
  expect([...engines].toSorted()).toEqual(['embedded', 'temporal'])
  for (const count of counts) expect(count).toBeGreaterThan(10)
  expect(await stop(last)).toBe(0)
})
