// Problem codes, their pages, their routes and their tests belong together, one for one.
import { basename } from 'node:path/posix'
import { isCode, isTest, type Repository } from './repository.ts'

/** The headings of a page in docs/errors, in order. */
export const pageSections = ['What happened', 'Example', 'Causes', 'What to do'] as const

/** What a new page holds where a sentence is still owed. */
export const pagePlaceholder = '(to be written)'

/** A problem's status and title, as `problems` in packages/contract/src/problem.ts declares them. */
export type ProblemTable = Readonly<Record<string, { readonly status: number; readonly title: string }>>

function checkPage(code: string, problem: ProblemTable[string], text: string): string[] {
  const headings = text.split('\n').filter((line) => line.startsWith('#'))
  const wanted = [`# ${code}`, ...pageSections.map((section) => `## ${section}`)]
  const problems = wanted
    .filter((heading) => !headings.includes(heading))
    .map((heading) => `lacks "${heading}"`)
  if (text.includes(pagePlaceholder)) problems.push('is not written yet')
  const example = /```json\n([\s\S]*?)```/.exec(text)?.[1]
  const body = example === undefined ? {} : JSON.parse(example)
  for (const [field, value] of Object.entries({ code, status: problem.status, title: problem.title })) {
    if (body[field] !== value)
      problems.push(`shows ${field} ${JSON.stringify(body[field])}, not ${JSON.stringify(value)}`)
  }
  return problems.map((what) => `docs/errors/${code}.md ${what}`)
}

/** Each code has a page that says the same as the table, and no page is left over. */
export function checkErrorPages(repository: Repository, table: ProblemTable): string[] {
  const pages = repository.files.filter((file) => /^docs\/errors\/[^/]+\.md$/.test(file.path))
  const textOf = (code: string) => pages.find((page) => basename(page.path, '.md') === code)?.text
  const declared = Object.entries(table).flatMap(([code, problem]) => {
    const text = textOf(code)
    return text === undefined
      ? [`docs/errors/${code}.md is missing: npm run error-pages`]
      : checkPage(code, problem, text)
  })
  const left = pages
    .filter((page) => !(basename(page.path, '.md') in table) && basename(page.path) !== 'README.md')
    .map((page) => `${page.path} explains a code that does not exist`)
  return [...declared, ...left]
}

function mentions(text: string, code: string): boolean {
  return new RegExp(`\\b${code}\\b`).test(text)
}

/** Each code is answered somewhere and tested somewhere. */
export function checkProblemUse(repository: Repository, table: ProblemTable): string[] {
  const code = repository.files.filter(
    (file) => isCode(file.path) && file.path !== 'packages/contract/src/problem.ts',
  )
  const tests = code.filter((file) => isTest(file.path) && !/^test\/(tidy|problem)/.test(file.path))
  const sources = code.filter((file) => !isTest(file.path) && !file.path.startsWith('tools/'))
  return Object.keys(table).flatMap((name) => [
    ...(sources.some((file) => mentions(file.text, name)) ? [] : [`${name}: no code answers with it`]),
    ...(tests.some((file) => mentions(file.text, name)) ? [] : [`${name}: no test expects it`]),
  ])
}
