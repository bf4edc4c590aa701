import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { addHits, type CountedFile, readHits } from './process-coverage.ts'

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/process-coverage/${name}`, import.meta.url))
const source = readFileSync(fixture('count-words.ts'), 'utf8')

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kyros-coverage-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** The place of some text in the fixture, as istanbul gives it. */
function placeOf(text: string) {
  const before = source.slice(0, source.indexOf(text)).split('\n')
  return { start: { line: before.length, column: before.at(-1)?.length ?? 0 } }
}

/** What vitest makes of the fixture when no test imports it. */
function untouched(): CountedFile {
  const statements = ['const words', "process.stdout.write('LOUD')", 'return words.length', "return 'never'"]
  return {
    statementMap: Object.fromEntries(statements.map((text, index) => [index, placeOf(text)])),
    fnMap: { 0: { loc: placeOf('{\n  const words') }, 1: { loc: placeOf("{\n  return 'never'") } },
    branchMap: { 0: { locations: [placeOf('{\n    process.stdout')] } },
    s: { 0: 0, 1: 0, 2: 0, 3: 0 },
    f: { 0: 0, 1: 0 },
    b: { 0: [0] },
  }
}

function measure(directory: string): CountedFile {
  const path = fixture('count-words.ts')
  const hits = readHits(directory, (candidate) => candidate === path)
  const file = untouched()
  addHits(file, source, hits.get(path) ?? new Uint32Array())
  return file
}

test('what runs only in a child process counts, and what does not run there does not', () => {
  const directory = temporaryDirectory()
  for (let run = 0; run < 2; run++) {
    const output = execFileSync(process.execPath, [fixture('child.ts')], {
      env: { NODE_V8_COVERAGE: directory },
      encoding: 'utf8',
    })
    expect(output).toBe('2')
  }
  expect(measure(directory)).toMatchObject({
    s: { 0: 2, 1: 0, 2: 2, 3: 0 },
    f: { 0: 2, 1: 0 },
    b: { 0: [0] },
  })
})

test('what runs only in a thread counts, even when the thread is terminated', async () => {
  const directory = temporaryDirectory()
  const before = process.env.NODE_V8_COVERAGE
  process.env.NODE_V8_COVERAGE = directory
  onTestFinished(() => {
    if (before === undefined) delete process.env.NODE_V8_COVERAGE
    else process.env.NODE_V8_COVERAGE = before
  })
  const worker = new Worker(
    `import(${JSON.stringify(fixture('child.ts'))})
      .then(() => require('node:worker_threads').parentPort.postMessage('ran'))
    setInterval(() => {}, 1_000)`,
    { eval: true, stdout: true },
  )
  await new Promise((resolve) => worker.once('message', resolve))
  await worker.terminate()
  expect(measure(directory).s).toEqual({ 0: 1, 1: 0, 2: 1, 3: 0 })
})

test('a record that was cut off by the death of its process is left out', () => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'coverage-1-1-0.json'), '{"result":[{"url":"file:///x.ts","func')
  expect(measure(directory)).toEqual(untouched())
})

test('a run without child processes adds nothing', () => {
  expect(measure(join(temporaryDirectory(), 'absent'))).toEqual(untouched())
})
