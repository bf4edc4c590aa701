import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cachedTemporal } from './find-temporal.js'
import { root } from './runtime.js'
import { isAlive } from './setup-state.js'
import { startTemporal } from './temporal-dev-server.ts'

let directory: string
let env: Record<string, string>

/** PATH holds these tools and what a test puts beside them, never the machine's own Go or CLI. */
const shellTools = ['sh', 'cat', 'sleep', 'chmod']

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kyros-temporal-dev-'))
  mkdirSync(join(directory, 'bin'))
  for (const name of shellTools) symlinkSync(join('/bin', name), join(directory, 'bin', name))
  env = { PATH: join(directory, 'bin'), XDG_CACHE_HOME: join(directory, 'cache') }
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

function writeCommand(name: string, body: string) {
  const path = join(directory, 'bin', name)
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  return path
}

/** A Go that answers `version`, and for `build` notes the call and does the body; `$output` is what `-o` names. */
function writeGo(body: string) {
  return writeCommand(
    'go',
    `[ "$1" = version ] && { echo go version go1.25.0 linux/amd64; exit; }
echo call >>${directory}/calls
while [ "$1" != -o ]; do shift; done
output=$2
${body}`,
  )
}

const calls = (): number => {
  const path = join(directory, 'calls')
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0
}

function start(script: string, args: string[], more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(root, 'tools', script), ...args], {
    cwd: directory,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk))
  const ended = new Promise<{ code: number | null; output: string; errors: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, output, errors })),
  )
  return { child, ended }
}

const build = (more?: Record<string, string>) => start('temporal-dev.ts', ['--build'], more).ended
const finish = 'echo built >"$output" && chmod +x "$output"'

describe('building', () => {
  test('two processes at once build once, and a third finds it', async () => {
    writeGo(`while [ ! -e ${directory}/go-on ]; do sleep 0.02; done\n${finish}`)
    const path = cachedTemporal(env)
    const both = [start('temporal-dev.ts', ['--build']), start('temporal-dev.ts', ['--build'])]
    let errors = ''
    for (const { child } of both) child.stderr.on('data', (chunk: Buffer) => (errors += chunk))
    await expect.poll(() => errors, { timeout: 10_000 }).toContain('another process builds')
    writeFileSync(join(directory, 'go-on'), '')
    const results = await Promise.all(both.map(({ ended }) => ended))
    for (const { code, output } of [...results, await build()])
      expect({ code, output }).toEqual({ code: 0, output: `${path}\n` })
    expect(calls()).toBe(1)
    expect(readdirSync(dirname(path)).toSorted()).toEqual(['lock.db', 'temporal'])
  })

  test('a failure says what it means, shows the log, and leaves nothing', async () => {
    writeGo('echo broken >"$output"\necho "dial tcp: lookup proxy: no such host" >&2\nexit 1')
    const { code, errors } = await build()
    expect(code).toBe(1)
    expect(errors).toContain('The Go module proxy cannot be reached')
    expect(errors).toContain('lookup proxy: no such host')
    expect(readdirSync(dirname(cachedTemporal(env)))).toEqual(['lock.db'])
  })

  test('Go dies with a build that is killed, and the next one begins anew', async () => {
    writeGo(`echo half >"$output"\necho $$ >${directory}/pid\nsleep 300`)
    const { child, ended } = start('temporal-dev.ts', ['--build'])
    await expect.poll(() => existsSync(join(directory, 'pid')), { timeout: 10_000 }).toBe(true)
    child.kill('SIGKILL')
    await ended
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false)
    expect(existsSync(cachedTemporal(env))).toBe(false)
    writeGo(finish)
    expect(await build()).toMatchObject({ code: 0 })
    expect(readFileSync(cachedTemporal(env), 'utf8')).toBe('built\n')
  })

  test('nothing is built where a server is named, and nothing can be without Go', async () => {
    const named = await build({ TEMPORAL_ADDRESS: 'cluster:7233' })
    expect(named).toMatchObject({ code: 0, output: '' })
    expect(named.errors).toContain('cluster:7233 is used')
    const bare = await build()
    expect(bare.code).toBe(1)
    expect(bare.errors).toContain('there is no Go on PATH')
  })

  test('a wrong option is named', async () => {
    expect(await start('temporal-dev.ts', ['--prot', '1']).ended).toMatchObject({ code: 2 })
    const { code, errors } = await start('temporal-dev.ts', ['--port', '70000']).ended
    expect({ code, errors }).toEqual({ code: 2, errors: 'temporal-dev: --port 70000 is no port\n' })
  })
})

describe('npm test', () => {
  const runTests = (more?: Record<string, string>) => start('test.js', ['--project=temporal'], more).ended

  test('does not build unasked, and says how to', async () => {
    writeGo(finish)
    const { code, output } = await runTests()
    expect(output).toContain('skipped: the temporal tests; no Temporal server is built yet')
    expect(output).toContain('npm run temporal-dev -- --build')
    expect({ code, calls: calls() }).toEqual({ code: 0, calls: 0 })
  })

  test('fails without a server where nothing may be left out', async () => {
    const { code, output } = await runTests({ KYROS_TEST_REQUIRE_ALL: '1' })
    expect(code).toBe(1)
    expect(output).toContain('skipped: the temporal tests; no Temporal server (there is no Go on PATH)')
  })
})

describe('starting', () => {
  test('a CLI that ends is reported with what it said', async () => {
    const path = writeCommand('temporal', 'echo the disk is on fire >&2; exit 1')
    await expect(startTemporal({ path })).rejects.toThrow(/The Temporal server ended:\nthe disk is on fire/)
  })

  test('a port that was taken in the meantime is tried anew with another, a given one is not', async () => {
    const path = writeCommand(
      'temporal',
      `echo call >>${directory}/calls; echo "can't set frontend port" >&2; exit 1`,
    )
    await expect(startTemporal({ path })).rejects.toThrow("can't set frontend port")
    expect(calls()).toBe(3)
    await expect(startTemporal({ path, port: 65_000 })).rejects.toThrow("can't set frontend port")
    expect(calls()).toBe(4)
  })
})
