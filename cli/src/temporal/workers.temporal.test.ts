import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createDatabase, dropDatabase } from '@kyros/store/suite/postgres-database'
import { expect, inject, onTestFinished, test } from 'vitest'
import { kyros } from '../testing/spawn-kyros.ts'
import { apiOf, createNotingProject, type Project, stop, until } from './platform.ts'

const cluster = () => ({
  KYROS_TEMPORAL_HOST_PORT: inject('testTemporalAddress'),
  KYROS_TEMPORAL_TASK_QUEUE: `test-${randomUUID()}`,
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Border cast: a server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A run whose version nobody serves says so, and that version is among those that are shown. */
async function expectUnserved(api: ReturnType<typeof apiOf>, runId: string): Promise<void> {
  const { waits_for: waits, what_would_move_it: moves } = await until(
    () => api.client.call('whyRun', { params: { id: runId } }),
    ({ waits_for: [first] }) => first?.kind === 'worker_missing',
  )
  expect(waits[0]).toMatchObject({ name: 'version', detail: expect.stringContaining('no worker serves') })
  expect(moves).toContain('kyros serve worker')
  const inUse = await until(
    async () => (await api.client.call('engineStatus')).temporal.cluster?.builds ?? [],
    (builds) => builds.length > 0,
  )
  expect(inUse).toMatchObject([{ runs: 1, has_worker: false }])
}

/** A run that has not ended keeps its version among those that are shown. */
async function expectInUse(
  api: ReturnType<typeof apiOf>,
  { directory }: Project,
  build: string | null | undefined,
): Promise<void> {
  const waiting = (await api.startNoting(60_000)) ?? ''
  const inUse = await until(
    async () => (await api.client.call('engineStatus')).temporal.cluster?.builds ?? [],
    (builds) => builds.length > 0,
  )
  expect(inUse).toEqual([{ build, runs: 1, has_worker: true }])
  const shown = await kyros(['engine', 'status'], { cwd: directory })
  expect(shown.output).toMatch(/^[0-9a-f]{12}\t1\tyes$/m)
  await api.client.call('cancelRun', { params: { id: waiting }, body: { reason: 'seen' } })
}

test('a worker of its own does the steps of runs that an orchestrator starts', async () => {
  const database = await createDatabase()
  onTestFinished(() => dropDatabase(database))
  const project = createNotingProject()
  const env = { ...cluster(), DATABASE_URL: database }
  const orchestrator = project.start(['serve', 'orchestrator'], env)
  const api = apiOf(await orchestrator.ready(), project)
  // It goes on after the line that says that it is ready.
  await until(
    async () => orchestrator.output(),
    (output) => output.includes('steps run in `kyros serve worker`'),
  )
  const runId = (await api.startNoting(10)) ?? ''
  await expectUnserved(api, runId)

  const metricsPort = await freePort()
  const metered = { ...env, KYROS_METRICS_PORT: String(metricsPort) }
  const worker = project.start(['serve', 'worker', '--data', 'worker-data'], metered)
  const probes = await worker.ready()
  await until(
    () => api.run(runId),
    ({ status }) => status === 'completed',
  )
  expect(await api.run(runId)).toMatchObject({ engine: 'temporal', temporal_id: runId })
  expect(project.notes().get(runId)).toEqual(['first', 'second'])

  expect(await (await fetch(`${probes}/livez`)).json()).toEqual({ status: 'ok' })
  const ready = await (await fetch(`${probes}/readyz?verbose`)).json()
  expect(ready).toEqual({
    ready: true,
    status: 'ready',
    checks: [
      { name: 'temporal', status: 'healthy' },
      { name: 'worker', status: 'healthy' },
    ],
  })
  const status = await api.client.call('engineStatus')
  expect(status).toMatchObject({
    embedded: { takes_new_runs: false, runs: {} },
    temporal: { takes_new_runs: true, runs: {}, waiting_for_dispatch: 0, cluster: { state: 'healthy' } },
  })
  expect(status.temporal.cluster?.workers).toMatchObject([{ build: expect.stringMatching(/^[0-9a-f]{64}$/) }])

  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  for (const line of [
    /^kyros_temporal_attempt_duration_seconds_count\{kind="attempt"\} 2$/m,
    /^kyros_temporal_turn_duration_seconds_count [3-9]$/m,
    /^kyros_temporal_polls_total\{kind="attempt",result="task"\} 2$/m,
    /^kyros_temporal_slots_available\{kind="attempt"\} 256$/m,
    /^kyros_temporal_builds 1$/m,
    /^kyros_temporal_requests_total\{side="worker",operation="RespondActivityTaskCompleted"\} 2$/m,
    /^kyros_temporal_requests_total\{side="client",operation="DescribeNamespace"\} \d+$/m,
  ])
    expect(metrics).toMatch(line)

  await expectInUse(api, project, status.temporal.cluster?.workers[0]?.build)

  // An attempt under way may end before the worker does.
  const last = (await api.startNoting(700)) ?? ''
  await until(
    () => api.run(last),
    (run) => run.status === 'running',
  )
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await stop(worker)).toBe(0)
  expect(project.notes().get(last)).toEqual(['first'])
  expect(await stop(orchestrator)).toBe(0)
})

const dying = `import { defineWorkflow } from 'kyros/workflow'

type Steps = { Die: (input: null) => Promise<number> }

export const workflow = defineWorkflow<Steps>()({
  name: 'dying',
  version: '1.0.0',
  run: async ({ step }) => step.Die(null, { mode: 'inline', startToCloseMs: 1000 }),
})
`

const dyingSteps = `import { existsSync, writeFileSync } from 'node:fs'

const Die = async (_input: null, { attempt }: { attempt: number }) => {
  if (!existsSync('died')) {
    writeFileSync('died', '')
    process.kill(process.pid, 'SIGKILL')
  }
  return attempt
}

export const steps = { Die }
`

test('an inline step whose worker dies in it is done by another, under its number', async () => {
  const database = await createDatabase()
  onTestFinished(() => dropDatabase(database))
  const project = createNotingProject()
  writeFileSync(join(project.directory, 'workflows', 'dying.workflow.ts'), dying)
  writeFileSync(join(project.directory, 'workflows', 'dying.steps.ts'), dyingSteps)
  const env = { ...cluster(), DATABASE_URL: database }
  const api = apiOf(await project.start(['serve', 'orchestrator'], env).ready(), project)
  const doomed = project.start(['serve', 'worker', '--data', 'doomed-data'], env)
  await doomed.ready()
  const { run_id: runId } = await api.client.call('startRun', {
    body: { name: 'd', type: 'dying', input: null },
  })
  await doomed.exited
  const killedMs = Date.now()
  await project.start(['serve', 'worker', '--data', 'other-data'], env).ready()
  const run = await until(
    () => api.run(runId),
    ({ status }) => status === 'completed',
  )
  expect(run.result).toBe(1)
  expect(Date.now() - killedMs).toBeLessThan(25_000)
})

test('a worker without a cluster, or without a database that it can share, says what it needs', async () => {
  const { code, lines } = await kyros(['serve', 'worker'])
  expect([code, lines.join(' ')]).toEqual([1, expect.stringContaining('temporal.host_port')])
  const alone = await kyros(['serve', 'worker'], { env: cluster() })
  expect([alone.code, alone.lines.join(' ')]).toEqual([1, expect.stringContaining('DATABASE_URL')])
})
