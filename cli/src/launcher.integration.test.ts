import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kyros, launcher, spawnKyros, temporaryDirectory } from './testing/spawn-kyros.ts'

/** Makes a Node say that it is an old one; what it starts is not told. */
const asOldNode = [
  '--import',
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.19.0'}})`,
] as const

describe('the launcher under an older Node', () => {
  test('hands over to the pinned one and keeps the output', async () => {
    const result = await kyros(['--version'], { before: asOldNode })
    expect(result).toMatchObject({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })
  test('keeps the exit code', async () => {
    expect((await kyros(['no-such-command'], { before: asOldNode })).code).toBe(2)
  })
  test('passes SIGTERM on and ends with 0', async () => {
    const data = temporaryDirectory()
    const server = spawnKyros(['up', '--port', '0', '--no-welcome', '--data', data], { before: asOldNode })
    await server.ready()
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
  })
  test('takes the server with it when it is killed', async () => {
    const data = temporaryDirectory()
    const server = spawnKyros(['up', '--port', '0', '--no-welcome', '--data', data], { before: asOldNode })
    const url = await server.ready()
    server.child.kill('SIGKILL')
    // The output closes when the last process that holds it has ended.
    await server.exited
    await expect(fetch(`${url}/livez`)).rejects.toThrow()
  })
  test('says what to install when there is no other', async () => {
    const root = temporaryDirectory()
    mkdirSync(join(root, 'cli', 'bin'), { recursive: true })
    writeFileSync(join(root, 'package.json'), '{"type":"module"}')
    const copy = join(root, 'cli', 'bin', 'kyros.js')
    cpSync(launcher, copy)
    const result = await kyros([], { before: [...asOldNode, copy] })
    expect(result.code).toBe(1)
    expect(result.lines).toEqual([
      'Kyros needs Node 24 or later; this is 20.19.0.',
      expect.stringContaining(`Run \`npm ci\` in ${root}`),
    ])
  })
})
