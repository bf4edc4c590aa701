import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { kyros, spawnKyros, temporaryDirectory } from './testing/spawn-kyros.ts'

const files = 400

/** A repository that takes a moment to analyse. */
function makeRepository(): string {
  const directory = temporaryDirectory()
  for (let index = 0; index < files; index++) {
    const body = Array.from(
      { length: 40 },
      (_, line) => `  if (a > ${line}) b += eval(String(${index * line}))`,
    )
    writeFileSync(
      join(directory, `file${index}.js`),
      `export function f${index}(a) {\n  let b = 0\n${body.join('\n')}\n  return b\n}\n`,
    )
  }
  const git = (...words: string[]) => execFileSync('git', ['-C', directory, ...words], { stdio: 'ignore' })
  git('init', '-q')
  git('add', '.')
  git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '-qm', 'first')
  return directory
}

type Step = { key: string; status: string; attempts: { attempt: number; status: string }[] }

test('a run that was cut off by kill -9 finishes after the next start, and no completed step runs again', {
  timeout: 120_000,
}, async () => {
  const repository = makeRepository()
  const data = temporaryDirectory()
  const words = ['up', '--port', '0', '--no-welcome', '--data', data]
  const first = spawnKyros(words)
  await first.ready()
  const input = JSON.stringify({ repository })
  const started = await kyros(['run', 'code_analysis', '--input', input, '--json', '--data', data])
  const { run_id: runId } = JSON.parse(started.output)
  const readRun = async () => {
    const answer = await kyros(['runs', 'get', runId, '--json', '--data', data])
    const run: { status: string; steps: Step[] } = JSON.parse(answer.output)
    return run
  }
  let before = await readRun()
  while (!before.steps.some((step) => step.status === 'completed')) before = await readRun()
  first.child.kill('SIGKILL')
  await first.exited
  expect(before.status).toBe('running')

  const second = spawnKyros(words)
  await second.ready()
  const followed = await kyros(['runs', 'follow', runId, '--data', data])
  expect(followed.code).toBe(0)
  const after = await readRun()
  expect(after.status).toBe('completed')
  for (const step of before.steps.filter(({ status }) => status === 'completed')) {
    const same = after.steps.find(({ key }) => key === step.key)
    expect(same?.attempts).toEqual(step.attempts)
  }
  expect(after.steps.map(({ key, status }) => [key, status])).toEqual(
    ['FetchCode', 'RunStaticAnalysis', 'RunSecurityAnalysis', 'RunPerformanceAnalysis', 'GenerateReport'].map(
      (key) => [key, 'completed'],
    ),
  )
})
