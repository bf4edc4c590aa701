import { readFile } from 'node:fs/promises'
import { isProblemCode, type ProblemCode, problem, problems } from '@kyros/contract/problem'
import { documentPage } from './document-page.ts'
import { markdownToHtml } from './markdown.ts'

/** The pages of this repository; an installed package may come without them. */
const pagesUrl = new URL('../../../../docs/errors/', import.meta.url)

const rendered = new Map<ProblemCode, string>()

/** The page that the `type` of a problem leads to. @throws route_not_found for a code that does not exist */
export async function errorPage(code: string): Promise<string> {
  // Only known codes become file names.
  if (!isProblemCode(code)) {
    throw problem('route_not_found', {
      detail: 'No problem of Kyros has this code. /docs lists the codes there are.',
    })
  }
  const known = rendered.get(code)
  if (known !== undefined) return known
  const mainHtml = markdownToHtml((await readPage(code)) ?? shortPage(code))
  const page = documentPage({ title: `${code} – Kyros`, mainHtml, description: problems[code].title })
  rendered.set(code, page)
  return page
}

async function readPage(code: ProblemCode): Promise<string | undefined> {
  try {
    return await readFile(new URL(`${code}.md`, pagesUrl), 'utf8')
  } catch {
    return undefined
  }
}

function shortPage(code: ProblemCode): string {
  const { title, status } = problems[code]
  return `# ${code}\n\n${title}. The status is ${status}; the \`detail\` of the answer says what to do next.`
}
