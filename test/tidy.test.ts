import { problems } from '@kyros/contract/problem'
import { describe, expect, test } from 'vitest'
import { checkDocuments } from './document-rules.ts'
import { checkDescriptions, checkLockfile, checkVersions } from './package-rules.ts'
import { checkErrorPages, checkProblemUse, pageSections } from './problem-rules.ts'
import { type Repository, readRepository, textOf, withFile } from './repository.ts'
import {
  checkDebts,
  checkExports,
  checkFileSizes,
  checkFunctionSizes,
  checkNames,
  checkTestGates,
  checkTestNames,
  checkText,
  checkTypes,
} from './tidy-rules.ts'

type Check = (repository: Repository) => string[]

const repository = readRepository()
const checkPages: Check = (files) => checkErrorPages(files, problems)
const checkUse: Check = (files) => checkProblemUse(files, problems)

/** What a checker says of the repository with this file that it does not say without it. */
function added(check: Check, path: string, text: string): string[] {
  const before = new Set(check(repository))
  return check(withFile(repository, path, text)).filter((problem) => !before.has(problem))
}

const checks: [string, Check][] = [
  ['keeps files short', checkFileSizes],
  ['keeps functions short', checkFunctionSizes],
  ['names files by what is inside', checkNames],
  ['has no barrels and no default exports', checkExports],
  ['does not switch types off', checkTypes],
  ['has no debt without an issue', checkDebts],
  ['switches no test off', checkTestGates],
  ['names tests as facts', checkTestNames],
  ['names no machine it was written on', checkText],
  ['says the same of each workspace in the map and in its package.json', checkDescriptions],
  ['pins exact versions', checkVersions],
  ['has a lockfile that works everywhere', checkLockfile],
  ['names in its documents only what is there', checkDocuments],
  ['has one page for each problem code', checkPages],
  ['answers with and tests each problem code', checkUse],
]

describe('the repository', () => {
  test.each(checks)('%s', (_rule, check) => {
    expect(check(repository)).toEqual([])
  })
})

const lines = (count: number) => 'x()\n'.repeat(count)
const manifest = (fields: object) => JSON.stringify({ name: '@kyros/store', ...fields })
const lock = (packages: object) => JSON.stringify({ packages })
const locked = { version: '1.0.0', integrity: 'sha512-x' }

const violations: [string, Check, string, string][] = [
  ['a file of 501 lines', checkFileSizes, 'cli/src/planted.ts', lines(501)],
  ['a map of 251 lines', checkFileSizes, 'ARCHITECTURE.md', lines(251)],
  ['a function of 71 lines', checkFunctionSizes, 'cli/src/planted.ts', `const f = () => {\n${lines(69)}}`],
  ['a test of 71 lines', checkFunctionSizes, 'cli/src/planted.test.ts', `test('x', () => {\n${lines(69)}})`],
  ['a drawer file', checkNames, 'cli/src/utils.ts', ''],
  ['a drawer folder', checkNames, 'cli/src/shared/planted.ts', ''],
  ['a drawer with a first name', checkNames, 'cli/src/date-helpers.ts', ''],
  ['a file in camelCase', checkNames, 'cli/src/plantedFile.ts', ''],
  ['a barrel', checkExports, 'cli/src/planted.ts', "export * from './up.ts'"],
  ['a default export', checkExports, 'cli/src/planted.ts', 'export default 1'],
  ['any', checkTypes, 'cli/src/planted.ts', 'export const x: any = 1'],
  ['a non-null assertion', checkTypes, 'cli/src/planted.ts', 'export const x = y!'],
  ['an enum', checkTypes, 'cli/src/planted.ts', 'enum X { A }'],
  ['a bare cast', checkTypes, 'cli/src/planted.ts', 'export const x = y as string'],
  ['a debt', checkDebts, 'cli/src/planted.ts', `// TO${'DO'}: later`],
  ['a test alone', checkTestGates, 'cli/src/planted.test.ts', "test.only('x', () => {})"],
  ['a test switched off', checkTestGates, 'cli/src/planted.test.ts', "describe.skip('x', () => {})"],
  ['a test that should', checkTestNames, 'cli/src/planted.test.ts', "test('it should work', () => {})"],
  ['a registry host', checkText, 'docs/planted.md', `see https://registry.${'npmjs'}.org`],
  ['a conflict of two branches', checkText, 'docs/planted.md', `${'<'.repeat(7)} HEAD`],
  ['a machine path', checkText, 'docs/planted.md', `cd /${'work'}/main`],
  [
    'a range instead of a version',
    checkVersions,
    'cli/package.json',
    manifest({ dependencies: { x: '^1.0.0' } }),
  ],
  [
    'another sentence in package.json',
    checkDescriptions,
    'packages/store/package.json',
    manifest({ description: 'x' }),
  ],
  ['a dead link', checkDocuments, 'docs/planted.md', '[x](adr/0099-planted.md)'],
  ['a path that is gone', checkDocuments, 'docs/planted.md', 'see `packages/store/src/planted.ts`'],
  ['a page for no code', checkPages, 'docs/errors/planted_code.md', '# planted_code'],
  ['a page without sections', checkPages, 'docs/errors/job_not_found.md', '# job_not_found'],
]

describe('a planted violation is caught:', () => {
  test.each(violations)('%s', (_what, check, path, text) => {
    expect(added(check, path, text)).not.toEqual([])
  })

  test.each([
    ['a download address', { 'node_modules/x': { ...locked, resolved: 'https://example.org/x.tgz' } }],
    ['a missing integrity', { 'node_modules/x': { version: '1.0.0' } }],
    ['a real package where a stand-in belongs', { 'node_modules/@ibm/telemetry-js': locked }],
    [
      'a missing package of another platform',
      { 'node_modules/x': { ...locked, optionalDependencies: { y: '1.0.0' } } },
    ],
  ])('%s in the lockfile', (_what, packages) => {
    expect(checkLockfile(withFile(repository, 'package-lock.json', lock(packages)))).toHaveLength(1)
  })

  test('a problem code that nothing answers with or tests', () => {
    const table = { planted_code: { status: 404, title: 'Planted' } }
    expect(checkProblemUse(repository, table)).toEqual([
      'planted_code: no code answers with it',
      'planted_code: no test expects it',
    ])
    expect(checkErrorPages(repository, table)).toContain(
      'docs/errors/planted_code.md is missing: npm run error-pages',
    )
  })

  test('a page whose example has another status than the code', () => {
    const text = textOf(repository, 'docs/errors/job_not_found.md').replace('"status": 404', '"status": 410')
    expect(added(checkPages, 'docs/errors/job_not_found.md', text)).toEqual([
      'docs/errors/job_not_found.md shows status 410, not 404',
    ])
  })
})

describe('what only looks like a violation is let through:', () => {
  const innocents: [string, Check, string, string][] = [
    ['a file of 500 lines', checkFileSizes, 'cli/src/planted.ts', lines(500)],
    [
      'a describe block of 100 lines',
      checkFunctionSizes,
      'cli/src/planted.test.ts',
      `describe('x', () => {\n${lines(100)}test('y', () => {})})`,
    ],
    ['a component in PascalCase', checkNames, 'console/src/Planted.tsx', ''],
    ['as const', checkTypes, 'cli/src/planted.ts', 'export const x = [1] as const'],
    [
      'a cast with its reason',
      checkTypes,
      'cli/src/planted.ts',
      '// Checked above.\nexport const x = y as string',
    ],
    ['a debt with an issue', checkDebts, 'cli/src/planted.ts', `// TO${'DO'}(#12): later`],
    ['a method named skip', checkTestGates, 'cli/src/planted.ts', 'parser.skip(1)'],
    ['a live link', checkDocuments, 'docs/planted.md', '[x](adr/README.md#decisions) and `packages/store/`'],
    ['a gate', checkTestGates, 'cli/src/planted.test.ts', "test.skipIf(isWindows)('x', () => {})"],
  ]
  test.each(innocents)('%s', (_what, check, path, text) => {
    expect(added(check, path, text)).toEqual([])
  })

  test('a page with all its sections', () => {
    expect(pageSections).toHaveLength(4)
    expect(checkErrorPages(repository, problems).filter((problem) => problem.includes('lacks'))).toEqual([])
  })
})
