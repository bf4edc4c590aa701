import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kyros, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const timeout = 120_000

async function startServer() {
  const data = temporaryDirectory()
  await spawnKyros(['up', '--port', '0', '--no-welcome', '--data', data]).ready()
  return { data, call: (...words: string[]) => kyros([...words, '--data', data]) }
}

/** A finished analysis of a directory with one file that has something to find. */
async function analyse() {
  const server = await startServer()
  const repository = temporaryDirectory()
  writeFileSync(join(repository, 'risky.js'), 'export const run = (text) => eval(text)\n')
  const input = JSON.stringify({ repository })
  const followed = await server.call('run', 'code_analysis', '--input', input, '--follow')
  const listed = await server.call('runs', 'list', '--status', 'completed', '--json')
  const [run] = JSON.parse(listed.output).workflows
  return { ...server, followed, runId: String(run?.id) }
}

/** A run that waits, because its job names nobody who could do it, and is then cancelled. */
async function cancelRun() {
  const server = await startServer()
  const submitted = await server.call('jobs', 'submit', 'Waits', '--json')
  const runId = String(JSON.parse(submitted.output).run_id)
  const cancelled = await server.call('runs', 'cancel', runId, '--reason', 'not needed')
  return { ...server, cancelled, runId }
}

describe('a run that has completed', { timeout }, () => {
  test('ends what followed it with 0, and with the names of its artifacts', async () => {
    const { followed, runId } = await analyse()
    expect(followed.code).toBe(0)
    expect(followed.output).toContain(runId)
    expect(followed.output).toContain('report.md')
  })

  test('is listed, shown with its steps, and its log is told apart by step', async () => {
    const { call, runId } = await analyse()
    expect((await call('runs', 'list')).output).toMatch(
      new RegExp(`^${runId}\tcompleted\tcode_analysis\t`, 'm'),
    )
    expect((await call('runs', 'list', '--status', 'failed')).output).not.toContain(runId)
    const shown = (await call('runs', 'get', runId)).output
    expect(shown).toMatch(/^status +completed$/m)
    expect(shown).toMatch(/^FetchCode\tcompleted\t1\t\d/m)
    const log = (await call('runs', 'logs', runId)).output
    const ofStep = (await call('runs', 'logs', runId, '--step', 'FetchCode', '--json')).output
    const steps = ofStep.trim().split('\n')
    expect(new Set(steps.map((line) => JSON.parse(line).step))).toEqual(new Set(['FetchCode']))
    expect(log.trim().split('\n').length).toBeGreaterThan(steps.length)
  })

  test('gives its artifacts as a list, as text and as a file', async () => {
    const { call, runId } = await analyse()
    expect((await call('runs', 'artifacts', runId)).output).toMatch(
      /^report\.md\ttext\/markdown; charset=utf-8\t\d+$/m,
    )
    const report = (await call('runs', 'artifacts', runId, 'report.md')).output
    expect(report).toContain('risky.js')
    const path = join(temporaryDirectory(), 'copy.md')
    expect((await call('runs', 'artifacts', runId, 'report.md', '--output', path)).code).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe(report)
    const nowhere = join(path, 'below-a-file')
    const refused = await call('runs', 'artifacts', runId, 'report.md', '--output', nowhere)
    expect(refused).toMatchObject({
      code: 1,
      lines: [expect.stringContaining('ENOTDIR'), expect.any(String)],
    })
  })
})

describe('a run that was cancelled', { timeout }, () => {
  test('says so, and a retry is a run of its own', async () => {
    const { call, cancelled, runId } = await cancelRun()
    expect(cancelled.output).toMatch(/^status +cancelled/m)
    const again = (await call('runs', 'retry', runId)).output.trim()
    expect(again).not.toBe(runId)
    expect(JSON.parse((await call('runs', 'get', again, '--json')).output).job_id).toBe(
      JSON.parse((await call('runs', 'get', runId, '--json')).output).job_id,
    )
  })

  test('is shown as it was before, by the number of an event and by a time', async () => {
    const { call, runId } = await cancelRun()
    const events = (await call('runs', 'events', runId, '--json')).output.trim().split('\n')
    const { seq, time } = JSON.parse(events[0] ?? '')
    expect((await call('runs', 'show', runId, '--as-of', String(seq))).output).toMatch(/^status +pending/m)
    expect((await call('runs', 'list', '--as-of', time, '--json')).output).toContain(runId)
    expect(await call('runs', 'show', runId, '--as-of', String(seq - 1))).toMatchObject({ code: 3 })
    expect(await call('runs', 'show', runId, '--as-of', 'yesterday')).toMatchObject({ code: 2 })
  })

  test('is in the log of events, also for who tails it from an earlier number', async () => {
    const { call, data, runId } = await cancelRun()
    const listed = (await call('events', 'list', '--type', 'run.cancelled')).output
    expect(listed).toMatch(/^\d+\t\S+Z\trun\.cancelled\t/)
    const tail = spawnKyros(['events', 'tail', '--after', '0', '--json', '--data', data])
    const [line] = await tail.saw(/^.*"run\.cancelled".*$/m)
    expect(JSON.parse(line)).toMatchObject({ type: 'run.cancelled', run_id: runId })
    tail.child.kill('SIGINT')
    await tail.exited
    expect(tail.output()).toContain('"job.created"')
  })
})
