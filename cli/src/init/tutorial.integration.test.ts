import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { launcher, pinnedNode, root, temporaryDirectory } from '../testing/spawn-kyros.ts'

type Part = { kind: 'commands'; text: string } | { kind: 'file'; path: string; text: string }

/** The commands of the tutorial and the files that it tells to write, in order. */
function parts(): Part[] {
  const text = readFileSync(join(root, 'docs', 'workflows', 'tutorial.md'), 'utf8')
  const blocks = text.matchAll(/(?:^`(?<path>[^`]+)`:\n\n)?^```(?<language>\w+)\n(?<body>[\s\S]*?)^```$/gm)
  return [...blocks].flatMap(({ groups }): Part[] => {
    const { path, language, body = '' } = groups ?? {}
    if (language === 'sh') return [{ kind: 'commands', text: body }]
    return path === undefined ? [] : [{ kind: 'file', path, text: body }]
  })
}

async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' ? String(address?.port) : ''
}

/** A shell as a reader of the tutorial has one: `kyros` is a command of it. */
async function openTerminals(cwd: string) {
  const bin = temporaryDirectory()
  writeFileSync(join(bin, 'kyros'), `#!/bin/sh\nexec "${pinnedNode}" "${launcher}" "$@"\n`, { mode: 0o755 })
  const own = Object.entries(process.env).filter(([name]) => !/^(KYROS_|VITEST|NODE_|npm_)/.test(name))
  const env = {
    ...Object.fromEntries(own),
    PATH: `${bin}:${process.env.PATH}`,
    KYROS_METRICS_PORT: '0',
    KYROS_SERVER_PORT: await freePort(),
    KYROS_CONSOLE_PORT: await freePort(),
  }
  return (directory: string) => {
    const shell = spawn('bash', ['-e'], { cwd: join(cwd, directory), env, detached: true })
    let output = ''
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    const ended = new Promise<void>((resolve) => shell.once('close', () => resolve()))
    onTestFinished(async () => {
      // The whole group: what runs in the shell as well.
      if (shell.pid !== undefined && shell.exitCode === null) process.kill(-shell.pid, 'SIGTERM')
      await ended
    })
    const saw = async (pattern: RegExp, timeoutMs = 45_000) => {
      const untilMs = Date.now() + timeoutMs
      while (!pattern.test(output)) {
        if (shell.exitCode !== null || Date.now() > untilMs) throw new Error(`no ${pattern} in:\n${output}`)
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
    }
    let count = 0
    return {
      type: (text: string) => shell.stdin.write(`${text}\n`),
      saw,
      /** Gives what the commands said; fails when one of them failed. */
      run: async (text: string) => {
        count += 1
        const before = output.length
        shell.stdin.write(`${text}\necho "done ${count}"\n`)
        await saw(new RegExp(`^done ${count}$`, 'm'))
        return output.slice(before)
      },
    }
  }
}

test('every command of the tutorial does what the tutorial says', async () => {
  const cwd = temporaryDirectory()
  const open = await openTerminals(cwd)
  const reader = open('.')
  const said: string[] = []
  for (const part of parts()) {
    if (part.kind === 'file') writeFileSync(join(cwd, 'hello', part.path), part.text)
    else if (part.text.trim() !== 'npm run dev') said.push(await reader.run(part.text))
    else {
      const second = open('hello')
      second.type(part.text)
      await second.saw(/Kyros is ready on/)
    }
  }
  const [made, started, approved, checked, tested, refused] = said
  expect(made).toMatch(/pass 4\n/)
  expect(started).toMatch(/waiting \(signal\)[\s\S]*review/)
  expect(approved).toMatch(/# Kyros 1\.2\.0\n\n- Workflows of your own/)
  expect(checked).toMatch(/ok {3}welcome 1\.0\.0[\s\S]*completed/)
  expect(tested).toMatch(/pass 5\n/)
  expect(refused).toMatch(/hasty\.workflow\.ts:6 uses Date[\s\S]*as expected/)
}, 120_000)
