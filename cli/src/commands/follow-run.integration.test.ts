import { describe, expect, test } from 'vitest'
import { kyros, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const timeout = 60_000

/** A run that waits until somebody ends it: its job names nobody who could do it. */
async function startWaitingRun() {
  const data = temporaryDirectory()
  await spawnKyros(['up', '--port', '0', '--no-welcome', '--data', data]).ready()
  const submitted = await kyros(['jobs', 'submit', 'Waits', '--json', '--data', data])
  const { run_id: runId, id: jobId } = JSON.parse(submitted.output)
  const follow = spawnKyros(['runs', 'follow', runId, '--data', data])
  await follow.saw(/^run /m)
  return { data, runId: String(runId), jobId: String(jobId), follow }
}

async function statusOf(runId: string, data: string): Promise<string> {
  return JSON.parse((await kyros(['runs', 'get', runId, '--json', '--data', data])).output).status
}

describe('Ctrl-C while following a run', { timeout }, () => {
  test('once leaves the run going and says how to return', async () => {
    const { data, runId, follow } = await startWaitingRun()
    follow.child.kill('SIGINT')
    expect(await follow.exited).toBe(130)
    expect(follow.errors()).toContain(`runs follow ${runId}`)
    expect(await statusOf(runId, data)).toBe('waiting')
  })

  test('twice cancels it', async () => {
    const { data, runId, follow } = await startWaitingRun()
    follow.child.kill('SIGINT')
    await expect.poll(follow.errors).toContain('The run goes on')
    follow.child.kill('SIGINT')
    expect(await follow.exited).toBe(1)
    expect(await statusOf(runId, data)).toBe('cancelled')
  })
})

test('following ends with 1 and the reason when somebody else cancels the run', { timeout }, async () => {
  const { data, jobId, follow } = await startWaitingRun()
  await kyros(['jobs', 'cancel', jobId, '--data', data])
  expect(await follow.exited).toBe(1)
  expect(follow.output()).toContain('cancelled')
})
