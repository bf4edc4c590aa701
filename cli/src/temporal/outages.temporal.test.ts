import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { kyros, temporaryDirectory } from '../testing/spawn-kyros.ts'
import { apiOf, createNotingProject, stop, until } from './platform.ts'

const cli = inject('testTemporalCli')
const body = { name: 'noted', type: 'noting', input: { pauseMs: 1 } }

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A cluster of the test's own, that can be killed and started again on what it kept. */
function createCluster(port: number) {
  const file = join(temporaryDirectory(), 'temporal.db')
  const words = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)]
  let child: ChildProcess | undefined
  const kill = () => child?.kill('SIGKILL')
  onTestFinished(() => {
    kill()
  })
  return {
    kill,
    start: () => {
      const setting = ['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000']
      child = spawn(cli, [...words, '--log-level', 'error', '--db-filename', file, ...setting], {
        stdio: 'ignore',
      })
    },
  }
}

/** New runs are refused, and everything else goes on. */
async function expectAway(api: ReturnType<typeof apiOf>): Promise<void> {
  const { check } = await until(
    () => api.ready('temporal'),
    ({ status }) => status === 503,
  )
  const detail = /127\.0\.0\.1:\d+ does not answer: nothing listens there .*temporal\.host_port/
  expect(check).toEqual([{ name: 'temporal', status: 'unhealthy', detail: expect.stringMatching(detail) }])
  expect((await api.client.call('listJobs')).jobs).toBeInstanceOf(Array)
  const refused = api.client.call('startRun', { body })
  await expect(refused).rejects.toMatchObject({
    status: 503,
    code: 'temporal_unavailable',
    retryAfterSeconds: 5,
  })
}

test.skipIf(cli === '')(
  'a cluster that is away at the start or goes away later keeps nothing but new runs from a server',
  { timeout: 120_000 },
  async () => {
    const port = await freePort()
    const cluster = createCluster(port)
    const env = { KYROS_TEMPORAL_HOST_PORT: `127.0.0.1:${port}` }
    const [refusing, queueing] = [createNotingProject(), createNotingProject()]
    const words = ['up', '--no-welcome']
    const server = refusing.start(words, env)
    const patient = queueing.start(words, {
      ...env,
      KYROS_TEMPORAL_WHEN_UNAVAILABLE: 'queue',
      KYROS_TEMPORAL_TASK_QUEUE: 'patient',
    })
    const api = apiOf(await server.ready(), refusing)
    const patientApi = apiOf(await patient.ready(), queueing)

    const mustBeAway = () => expectAway(api)
    await mustBeAway()
    const queued = [await patientApi.startNoting(1)]
    expect(await patientApi.ready('temporal')).toMatchObject({ status: 200, check: [{ status: 'warning' }] })

    cluster.start()
    await until(
      () => api.ready('temporal'),
      ({ status }) => status === 200,
    )
    // It waits on the cluster for longer than the cluster will be there.
    const interrupted = (await api.startNoting(3_000)) ?? ''
    await until(
      async () => refusing.notes().get(interrupted)?.length,
      (notes) => notes === 1,
    )
    const unwanted = (await api.startNoting(3_000)) ?? ''
    await until(
      () => api.run(unwanted),
      ({ status }) => status === 'running',
    )
    cluster.kill()
    await mustBeAway()
    await api.client.call('cancelRun', { params: { id: unwanted }, body: { reason: 'not any more' } })
    queued.push(await patientApi.startNoting(1))

    cluster.start()
    await until(
      () => api.run(interrupted),
      ({ status }) => status === 'completed',
    )
    expect(refusing.notes().get(interrupted)).toEqual(['first', 'second'])
    await until(
      () => api.run(unwanted),
      ({ status }) => status === 'cancelled',
    )
    for (const runId of queued) {
      await until(
        () => patientApi.run(runId ?? ''),
        ({ status }) => status === 'completed',
      )
      expect(queueing.notes().get(runId ?? '')).toEqual(['first', 'second'])
    }
    // Said once for each time that it went, and not every time that somebody looked.
    expect(server.errors().match(/does not answer: nothing listens there/g)?.length).toBeLessThanOrEqual(3)
    expect(await Promise.all([stop(server), stop(patient)])).toEqual([0, 0])
  },
)

test('a namespace that is not there is named, with the command that makes it', async () => {
  const project = createNotingProject()
  const server = project.start(['up', '--no-welcome'], {
    KYROS_TEMPORAL_HOST_PORT: inject('testTemporalAddress'),
    KYROS_TEMPORAL_NAMESPACE: 'nowhere',
  })
  const api = apiOf(await server.ready(), project)
  expect(await api.ready('temporal')).toEqual({
    status: 503,
    check: [
      {
        name: 'temporal',
        status: 'unhealthy',
        detail: expect.stringContaining('temporal operator namespace create --namespace nowhere'),
      },
    ],
  })
  const refused = api.client.call('startRun', { body })
  await expect(refused).rejects.toMatchObject({ code: 'temporal_namespace_missing' })
  const shown = await kyros(['engine', 'status'], { cwd: project.directory })
  expect([shown.code, shown.output]).toEqual([1, expect.stringMatching(/^temporal\tyes\t0\t-$/m)])
  expect(shown.output).toMatch(/namespace nowhere, task queue orchestrator-task-queue: faulty\n {2}.*create/)
  const told = await kyros(['engine', 'status', '--json'], { cwd: project.directory })
  expect(JSON.parse(told.output)).toMatchObject({ temporal: { cluster: { state: 'faulty', workers: [] } } })
  expect(server.errors().match(/has no namespace nowhere/g)?.length).toBe(1)
  expect(await stop(server)).toBe(0)
})
