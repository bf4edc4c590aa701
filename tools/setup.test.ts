import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { consoleFiles, isAlive, isInstalled, takeLock } from './setup-state.js'

const tools = dirname(fileURLToPath(import.meta.url))
let root: string

const write = (path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
const lockfile = (version: string) => JSON.stringify({ packages: { 'node_modules/a': { version } } })

/** A tree with one dependency, and in npm's place a script that notes its arguments and installs that one. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kyros-setup-'))
  mkdirSync(join(root, 'tools'))
  for (const file of ['setup.js', 'setup-state.js']) cpSync(join(tools, file), join(root, 'tools', file))
  write('package.json', '{"type": "module"}')
  write('package-lock.json', lockfile('1.0.0'))
  writeNpm(`
    if (process.argv[2] === 'ci') {
      fs.mkdirSync('node_modules/.bin', { recursive: true })
      fs.symlinkSync(process.execPath, 'node_modules/.bin/node')
      fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json')
    } else {
      fs.mkdirSync('console/dist', { recursive: true })
      fs.writeFileSync('console/dist/index.html', '')
    }`)
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function writeNpm(body: string) {
  write(
    'npm-cli.js',
    `import fs from 'node:fs'\nfs.appendFileSync('calls', process.argv[2] + '\\n')\n${body}`,
  )
}

function setUp(): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, npm_execpath: join(root, 'npm-cli.js') }
  const child = spawn(process.execPath, [join(root, 'tools/setup.js')], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

const calls = () =>
  existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : []

describe('set-up', () => {
  test('installs once and is quiet when there is nothing to do', async () => {
    expect((await setUp()).output).toContain('packages installed in')
    expect(await setUp()).toEqual({ code: 0, output: '' })
    expect(calls()).toEqual(['ci'])
  })

  test('installs again when the lockfile changes', async () => {
    await setUp()
    write('package-lock.json', lockfile('2.0.0'))
    rmSync(join(root, 'node_modules'), { recursive: true })
    await setUp()
    expect(calls()).toEqual(['ci', 'ci'])
  })

  test('accepts what someone installed by hand', async () => {
    await setUp()
    write('package-lock.json', lockfile('2.0.0'))
    write('node_modules/.package-lock.json', lockfile('2.0.0'))
    expect(await setUp()).toEqual({ code: 0, output: '' })
    expect(calls()).toEqual(['ci'])
  })

  test('builds the console when its sources change, and not when they are only touched', async () => {
    write('console/index.html', '')
    write('console/src/main.tsx', '1')
    await setUp()
    write('console/src/main.tsx', '2')
    await setUp()
    utimesSync(join(root, 'console/src/main.tsx'), 1, 1)
    expect(await setUp()).toEqual({ code: 0, output: '' })
    expect(calls()).toEqual(['ci', 'run', 'run'])
  })

  test('runs once when two are started at the same time', async () => {
    const [first, second] = await Promise.all([setUp(), setUp()])
    expect([first?.code, second?.code]).toEqual([0, 0])
    expect(calls()).toEqual(['ci'])
  })

  test.each([
    ['ENOTFOUND', 'registry cannot be reached'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'NODE_EXTRA_CA_CERTS'],
    ['ENOSPC', 'disk is full'],
    ['EUSAGE', 'package.json and package-lock.json disagree'],
  ])('explains %s and ends with 1', async (npmCode, explanation) => {
    writeNpm(`console.error('npm error code ${npmCode}'); process.exit(1)`)
    const { code, output } = await setUp()
    expect(code).toBe(1)
    expect(output).toContain(explanation)
    expect(output).not.toContain('    at ')
  })

  test('does not take a failed install for a finished one', async () => {
    writeNpm('process.exit(1)')
    await setUp()
    expect((await setUp()).code).toBe(1)
    expect(calls()).toEqual(['ci', 'ci'])
  })

  test('takes npm along when it is stopped, and installs at the next try', async () => {
    writeNpm("fs.writeFileSync('pid', String(process.pid)); setTimeout(() => {}, 60_000)")
    const env = { ...process.env, npm_execpath: join(root, 'npm-cli.js') }
    const child = spawn(process.execPath, [join(root, 'tools/setup.js')], { cwd: root, env, stdio: 'ignore' })
    const ended = new Promise((resolve) => child.on('close', resolve))
    await expect.poll(() => existsSync(join(root, 'pid')), { timeout: 10_000 }).toBe(true)
    const npm = Number(readFileSync(join(root, 'pid'), 'utf8'))
    child.kill('SIGTERM')
    await ended
    await expect.poll(() => isAlive(npm)).toBe(false)
    writeNpm('process.exit(1)')
    expect((await setUp()).output).toContain('`npm ci` failed')
  })

  test('says what is missing when the lockfile is', async () => {
    rmSync(join(root, 'package-lock.json'))
    expect((await setUp()).output).toContain('package-lock.json is missing')
  })
})

describe('the state of the tree', () => {
  test('a package for another platform may be missing, any other not', () => {
    mkdirSync(join(root, 'node_modules/.bin'), { recursive: true })
    write('node_modules/.package-lock.json', lockfile('1.0.0'))
    const lock = (other: object) =>
      write(
        'package-lock.json',
        JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': other } }),
      )
    lock({ version: '1.0.0', optional: true })
    expect(isInstalled(root)).toBe(true)
    lock({ version: '1.0.0' })
    expect(isInstalled(root)).toBe(false)
  })

  test('tests and built files are no sources of the console', () => {
    for (const path of [
      'console/src/a.ts',
      'console/src/a.test.ts',
      'console/dist/a.js',
      'packages/client/src/b.ts',
    ]) {
      write(path, '')
    }
    expect(consoleFiles(root)).toEqual(['console/src/a.ts', 'package-lock.json', 'packages/client/src/b.ts'])
  })

  test('a lock is held once, and a lock of a process that is gone is taken over', () => {
    const lock = takeLock(root)
    expect(lock.held).toBe(true)
    expect(takeLock(root)).toEqual({ held: false, pid: process.pid })
    write('.cache/setup.lock', '999999999')
    expect(takeLock(root).held).toBe(true)
  })
})
