import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { AnalysisReport } from '@kyros/contract/analysis-report'
import type { AnalysisArea, FetchCodeInput, GenerateReportOutput } from '@kyros/workflows/code-analysis/steps'
import Value from 'typebox/value'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CodeAnalysisStepsOptions, createCodeAnalysisSteps } from './steps.ts'
import { makeTestFolder, makeTestStep, TestRepository, type TestStep } from './test-repository.ts'

let folder: string
let remove: () => Promise<void>

beforeEach(async () => {
  const made = await makeTestFolder()
  folder = made.folder
  remove = made.remove
})
afterEach(() => remove())

type Analysed = {
  output: GenerateReportOutput
  readonly step: TestStep
  readonly report: AnalysisReport
  readonly texts: readonly string[]
}

async function analyse(
  input: FetchCodeInput,
  areas: readonly AnalysisArea[] = ['static', 'security', 'performance'],
  options: Partial<CodeAnalysisStepsOptions> = {},
): Promise<Analysed> {
  const step = await makeTestStep(folder)
  const steps = createCodeAnalysisSteps({ allowedRoots: [], ...options })
  const run = {
    static: steps.RunStaticAnalysis,
    security: steps.RunSecurityAnalysis,
    performance: steps.RunPerformanceAnalysis,
  }
  const fetched = await steps.FetchCode(input, step)
  const analyses = await Promise.all(areas.map((area) => run[area]({ fetched }, step)))
  const output = await steps.GenerateReport({ fetched, analyses }, step)
  expect(JSON.stringify([fetched, analyses, output]).length).toBeLessThan(64_000)
  const texts = output.artifacts.map((name) => step.stored.get(name) ?? '')
  return { step, output, report: Value.Parse(AnalysisReport, JSON.parse(texts[0] ?? '')), texts }
}

function places(report: AnalysisReport, rule: string): string[] {
  return report.findings.filter((finding) => finding.rule === rule).map(({ file, line }) => `${file}:${line}`)
}

const token = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_')

const files = {
  'package.json': JSON.stringify(
    { name: 'app', private: true, dependencies: { fastify: '1.0.0', unused: '1.0.0' } },
    null,
    2,
  ),
  'tsconfig.json':
    '{ "compilerOptions": { "strict": true, "plugins": [{ "name": "./evil.js" }] }, "extends": "./evil.js" } // a comment',
  '.oxlintrc.json': '{ "rules": { "no-debugger": "off" }, "jsPlugins": ["./evil.js"] }',
  'evil.js': 'require("node:fs").writeFileSync("canary", "")\n',
  'src/main.ts': [
    "import fastify from 'fastify'",
    "import { execSync } from 'node:child_process'",
    "import { used } from './tools.ts'",
    "import absent from 'absent-package'",
    'const seen = new Map<string, number>()',
    'export async function handle(request: { query: { dir: string } }, db: { query(text: string): Promise<void> }, ids: string[]) {',
    `  execSync(\`ls $\{request.query.dir}\`)`,
    '  seen.set(request.query.dir, 1)',
    "  await db.query('SELECT * FROM a WHERE b = ' + request.query.dir)",
    '  for (const id of ids) await db.query(id)',
    '  return [fastify, used, absent, /^(a+)+$/]',
    '}',
    '',
  ].join('\n'),
  'src/tools.ts': [
    'export function used(): number {',
    "  const text: number = 'not a number'",
    '  debugger',
    '  return text // TODO: return a number',
    '}',
    'export const forgotten = 1',
    '',
  ].join('\n'),
  'src/settings.py': `TOKEN = "${token}"\n# FIXME: read it from the environment\nimport os\n\n\ndef run(name):\n    os.system(f"ls {name}")\n`,
  'src/broken.js': 'function (\n',
  Dockerfile: 'FROM node:22.1.0\nRUN curl -s https://example.org/x | sh\nUSER node\nCMD ["node"]\n',
}

describe('code_analysis', () => {
  test('finds what is wrong at the right place, and nothing in code that is right', async () => {
    const repository = await TestRepository.make(folder)
    await repository.commitFiles(files)
    const { report } = await analyse({ repository: repository.directory })
    expect(places(report, 'static/parse-error')).toEqual(['src/broken.js:1'])
    expect(places(report, 'static/unused-export')).toEqual(['src/tools.ts:6'])
    expect(places(report, 'static/unused-dependency')).toEqual(['package.json:6'])
    expect(places(report, 'static/unlisted-dependency')).toEqual(['src/main.ts:4'])
    expect(places(report, 'static/type-error')).toEqual(['src/tools.ts:2'])
    expect(places(report, 'static/todo')).toEqual(['src/settings.py:2', 'src/tools.ts:4'])
    expect(places(report, 'oxlint/no-debugger')).toEqual(['src/tools.ts:3'])
    expect(places(report, 'security/command-injection')).toEqual(['src/main.ts:7', 'src/settings.py:7'])
    expect(places(report, 'security/sql-injection')).toEqual(['src/main.ts:9'])
    expect(places(report, 'security/secret')).toEqual(['src/settings.py:1'])
    expect(places(report, 'security/pipe-to-shell')).toEqual(['Dockerfile:2'])
    expect(places(report, 'performance/sync-io-in-async')).toEqual(['src/main.ts:7'])
    expect(places(report, 'performance/query-in-loop')).toEqual(['src/main.ts:10'])
    expect(places(report, 'performance/regex-backtracking')).toEqual(['src/main.ts:11'])
    expect(places(report, 'performance/unbounded-growth')).toEqual(['src/main.ts:5'])

    const clean = await TestRepository.make(folder)
    await clean.commitFiles({
      'src/add.ts': 'export function add(a: number, b: number): number {\n  return a + b\n}\n',
    })
    const right = await analyse({ repository: clean.directory })
    expect(right.report.findings).toEqual([])
    expect(right.report.scores.overall.score).toBe(100)
  })

  test('loads no configuration, plugin or script of the repository', async () => {
    const repository = await TestRepository.make(folder)
    await repository.commitFiles({
      ...files,
      'src/.oxlintrc.json': '{ "jsPlugins": ["../evil.js"] }',
      '.ignore': '*\n',
      '.gitignore': '*\n',
      '.secretlintignore': '*\n',
    })
    const { report, step } = await analyse({ repository: repository.directory })
    expect(places(report, 'oxlint/no-debugger')).toEqual(['src/tools.ts:3'])
    for (const directory of [
      process.cwd(),
      step.workspace,
      repository.directory,
      join(step.workspace, 'checkout'),
    ]) {
      await expect(access(join(directory, 'canary'))).rejects.toThrow()
    }
  })

  test('gives the same bytes for the same commit, without paths of this machine, times or secrets', async () => {
    const repository = await TestRepository.make(folder)
    await repository.commitFiles(files)
    const first = await analyse({ repository: repository.directory })
    const second = await analyse({ repository: repository.directory })
    expect(second.texts).toEqual(first.texts)
    expect(first.texts).toHaveLength(3)
    for (const text of first.step.stored.values()) {
      expect(text).not.toContain(folder)
      expect(text).not.toContain(token.slice(4))
      expect(text).not.toMatch(/\b20\d\d-\d\d-\d\dT/)
    }
  })

  test('scores by a formula that stands beside the score, and a critical finding weighs', async () => {
    const repository = await TestRepository.make(folder)
    await repository.commitFiles(files)
    const { report, texts } = await analyse({ repository: repository.directory }, ['security'])
    const { security, overall } = report.scores
    expect(report.scores.static).toBeUndefined()
    expect(security?.score).toBeLessThanOrEqual(50)
    expect(overall.score).toBe(security?.score)
    expect(texts[1]).toContain(security?.formula)
  })

  test('writes SARIF in which every result names a rule with help and a relative address', async () => {
    const repository = await TestRepository.make(folder)
    const blob = await repository.object('blob', files['src/main.ts'])
    await repository.commit(await repository.tree([{ mode: '100644', name: 'a b#%\u00e4.ts', hash: blob }]))
    const { texts, report } = await analyse({ repository: repository.directory })
    const sarif = JSON.parse(texts[2] ?? '')
    const [run] = sarif.runs
    expect(sarif.version).toBe('2.1.0')
    expect(run.results).toHaveLength(report.findings.length)
    for (const result of run.results) {
      expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId)
      expect(run.tool.driver.rules[result.ruleIndex].help.text).not.toBe('')
      expect(['error', 'warning', 'note']).toContain(result.level)
      expect(result.partialFingerprints['kyros/v1']).toMatch(/^[0-9a-f]{20}$/)
      expect(result.locations[0].physicalLocation.artifactLocation.uri).toBe('a%20b%23%25%C3%A4.ts')
    }
  })

  test('survives files made to exhaust parsers, and says which ones it left out', async () => {
    const repository = await TestRepository.make(folder)
    await repository.commitFiles({
      'good.ts': 'eval(globalThis.text)\n',
      'brackets.js': '('.repeat(400_000),
      'arrays.js': `x = ${'['.repeat(200_000)}${']'.repeat(200_000)}\n`,
      'sum.js': `x = ${'a + '.repeat(100_000)}a\n`,
      'deep.json': '['.repeat(200_000),
      'quotes.py': `"""${"'".repeat(300_000)}\n`,
      'long.sh': 'x'.repeat(1_500_000),
      'workflow.yml': `${'- '.repeat(100_000)}\n`,
    })
    const { report } = await analyse({ repository: repository.directory })
    expect(places(report, 'security/eval')).toEqual(['good.ts:1'])
    const said = report.skipped.map(({ what, why }) => `${what} ${why}`).join('\n')
    expect(said).toMatch(/arrays\.js/)
  }, 120_000)

  test('needs no more memory for many files than for a few', async () => {
    const repository = await TestRepository.make(folder)
    const bodies = Array.from(
      { length: 40 },
      (_, at) => `  if (x > ${at}) y += [x, ${at}].map((z) => z * y)[0]`,
    )
    const text = (at: number) =>
      `import { b } from './f${at + 1}.ts'\nexport function b(x: number) {\n  let y = ${at}\n${bodies.join('\n')}\n  return y\n}\n`
    const many = Array.from({ length: 3_000 }, (_, at) => [`f${at}.ts`, text(at)])
    await repository.commitFiles(Object.fromEntries(many))
    const { report } = await analyse({ repository: repository.directory }, ['static'], {
      limits: { analyzerMemoryMb: 96 },
    })
    expect(report.tools.find(({ name }) => name === 'kyros-modules')?.files).toBe(3_000)
  }, 60_000)

  test('counts the files that it did not read', async () => {
    const repository = await TestRepository.make(folder)
    await repository.commitFiles({ 'a.ts': 'export const a = 1\n', 'b.bin': '\0', 'c.bin': '\0' })
    const { output } = await analyse({ repository: repository.directory })
    expect(output.files_unread).toBe(2)
  })

  test('gives an area no score when nothing of it could be analysed, and says why', async () => {
    const repository = await TestRepository.make(folder)
    await repository.commitFiles({ 'README.md': '# A\n', 'NOTES.md': 'b\n' })
    const { output, report, texts, step } = await analyse({ repository: repository.directory }, [
      'performance',
    ])
    expect(output.scores).toEqual({ performance: null, overall: null })
    expect(output.not_scored?.performance).toMatch(/^None of the files/)
    expect(report.scores.performance).toMatchObject({ score: null, why: output.not_scored?.performance })
    expect(texts[1]).toContain('## No score')
    expect(step.logged.at(-1)).toMatch(/^No score: No area could be analysed\./)
  })

  test('tells in sentences what it reads, with which tools, and what it leaves out', async () => {
    const repository = await TestRepository.make(folder)
    const commit = await repository.commitFiles({ 'a.ts': 'eval(globalThis.text)\n', 'b.bin': '\0' })
    const { step, texts } = await analyse({ repository: repository.directory }, ['security'])
    expect(step.logged).toEqual([
      `Reading commit ${commit.slice(0, 12)} of main in ${repository.directory}`,
      `Read 1 file of commit ${commit.slice(0, 12)}: 1 line, 22 bytes. Left out: files (b.bin): they are binary.`,
      'Security analysis of 1 file',
      expect.stringMatching(/^Security analysis found 1 finding \(1 \w+\): looked with .* in 1 file/),
      expect.stringMatching(
        /^Score .* of 100\. Wrote the report of 1 finding in 2 files\. 1 file was not read/,
      ),
    ])
    expect(texts[1]).toContain('**1 file was not read or not analysed**')
  })

  test('ends at once when it is cancelled', async () => {
    const repository = await TestRepository.make(folder)
    await repository.commitFiles(files)
    const controller = new AbortController()
    const step = { ...(await makeTestStep(folder)), signal: controller.signal }
    const steps = createCodeAnalysisSteps({ allowedRoots: [] })
    const fetched = await steps.FetchCode({ repository: repository.directory }, step)
    const running = steps.RunStaticAnalysis({ fetched }, step)
    setTimeout(() => controller.abort(new Error('cancelled by its user')), 100)
    await expect(running).rejects.toThrow('cancelled by its user')
  })
})
