import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const timeout = 60_000

function makeRepository(): string {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'one.js'), 'export const one = (a) => eval(a)\n')
  const git = (...words: string[]) => execFileSync('git', ['-C', directory, ...words], { stdio: 'ignore' })
  git('init', '-q')
  git('add', '.')
  git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '-qm', 'first')
  return directory
}

test('the first start analyses the repository it stands in, shows the scores and keeps serving', {
  timeout,
}, async () => {
  const cwd = makeRepository()
  const server = spawnKyros(['up', '--port', '0'], { cwd })
  const url = await server.ready()
  await server.saw(/See it in the console/)
  expect(server.output()).toMatch(/overall\s+\S+ \d+\.\d/)
  expect(server.output()).toContain(`Analysing ${cwd}`)
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  server.child.kill('SIGTERM')
  expect(await server.exited).toBe(0)
  const second = spawnKyros(['up', '--port', '0'], { cwd })
  await second.saw(/Try /)
  second.child.kill('SIGTERM')
  expect(await second.exited).toBe(0)
  expect(second.output()).not.toContain('Analysing')
})

test('a repository that is named is analysed at any start', { timeout }, async () => {
  const repository = makeRepository()
  const server = spawnKyros(['up', repository, '--port', '0'], { cwd: temporaryDirectory() })
  await server.saw(/See it in the console/)
  expect(server.output()).toContain(`Analysing ${repository}`)
})

test('outside a repository it says so and skips', { timeout }, async () => {
  const cwd = temporaryDirectory()
  const server = spawnKyros(['up', '--port', '0'], { cwd })
  await server.saw(/is no git repository: no sample job/)
  server.child.kill('SIGTERM')
  expect(await server.exited).toBe(0)
})

test('SIGTERM in the middle of it ends with 0', { timeout }, async () => {
  const server = spawnKyros(['up', '--port', '0'], { cwd: makeRepository() })
  await server.saw(/Analysing/)
  server.child.kill('SIGTERM')
  expect(await server.exited).toBe(0)
})
