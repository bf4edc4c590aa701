import { expect, test } from 'vitest'
import { kyros } from '../testing/spawn-kyros.ts'
import { apiOf, clusterEnv, createNotingProject, stop, until } from './platform.ts'

test('runs on Temporal are replayed by what the cluster has of them, and left out where it is away', {
  timeout: 120_000,
}, async () => {
  const project = createNotingProject()
  const temporal = clusterEnv()
  const conform = () => kyros(['conform', 'noting'], { cwd: project.directory })
  const server = project.start(['up', '--no-welcome'], temporal)
  const api = apiOf(await server.ready(), project)
  const runId = (await api.startNoting(1)) ?? ''
  await until(
    () => api.run(runId),
    ({ status }) => status === 'completed',
  )
  const { code, output } = await conform()
  expect(output).toMatch(/^ok .* noting, \d\d events$/m)
  expect(output.trim().split('\n').at(-1)).toBe('1 histories of 1 definitions, 0 differ')
  expect(code).toBe(0)
  await stop(server)

  const alone = project.start(['up', '--no-welcome'])
  await alone.ready()
  const without = await conform()
  expect(without.lines.join('\n')).toMatch(/^left out: 1 runs on Temporal: .*no temporal\.host_port/m)
  expect(without.output.trim()).toBe('0 histories of 0 definitions, 0 differ')
  await stop(alone)
})
