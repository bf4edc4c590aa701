import { mkdir, mkdtemp, readdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import { expect, test } from 'vitest'
import { ended, plain, submit, until } from '../suite/rig.ts'
import { createEmbeddedRig, newId } from './embedded-rig.ts'
import { createWorkspaces } from './workspaces.ts'

test('a sweep removes directories of runs that are gone and nothing else', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-workspaces-'))
  const workspaces = createWorkspaces(dir)
  const [kept, gone] = [newId(), newId()]
  for (const runId of [kept, gone]) await writeFile(join(workspaces.open(runId), 'file'), 'x')
  await mkdir(join(dir, 'mine'))
  await workspaces.sweep((runId) => runId === kept)
  expect((await readdir(dir)).sort()).toEqual([kept, 'mine'].sort())
  expect((await stat(workspaces.pathOf(kept))).mode & 0o777).toBe(0o700)
})

test('of runs that are taken up only those have a directory that left one', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-workspaces-'))
  const [left, none] = [newId(), newId()]
  createWorkspaces(dir).open(left)
  const workspaces = createWorkspaces(dir)
  await workspaces.look()
  workspaces.adopt(left)
  workspaces.adopt(none)
  expect([workspaces.has(left), workspaces.has(none)]).toEqual([true, false])
  workspaces.leave(left)
  expect(workspaces.has(left)).toBe(false)
  workspaces.adopt(left)
  await workspaces.remove(left)
  expect(await readdir(dir)).toEqual([])
})

test('a run’s directory is there for its steps, lives to the end of the run, and is removed then', async () => {
  let workspace = ''
  const seen: string[][] = []
  const write = async (_input: unknown, context: { workspace: string; step: string }) => {
    workspace = context.workspace
    await writeFile(join(workspace, context.step), 'x')
    seen.push(await readdir(workspace))
    return null
  }
  const rig = await createEmbeddedRig({
    store: await openStore({ dataDir: ':memory:' }),
    steps: { ...plain, First: write, Second: write },
  })
  await ended(rig, await submit(rig, 'sequence'))
  expect(seen).toEqual([['First'], ['First', 'Second']])
  await until(
    () => stat(workspace).catch(() => undefined),
    (found) => found === undefined,
  )
  await rig.stop()
})
