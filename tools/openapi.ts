import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiReference, type ReferenceSection } from '@kyros/orchestrator/platform/api-reference'
import { openApiDocument } from '@kyros/orchestrator/platform/openapi-document'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs/api')

/** What docs/api holds, by file name: one page per tag, an index, and the OpenAPI document. */
export function apiDocuments(): Map<string, string> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const sections = apiReference()
  const pageOf = anchors(sections)
  const documents = new Map([
    ['README.md', index(sections)],
    ['openapi.json', `${JSON.stringify(openApiDocument(version), null, 2)}\n`],
  ])
  for (const { slug, markdown } of sections) documents.set(`${slug}.md`, asFile(markdown, slug, pageOf))
  return documents
}

const notice = '<!-- Made from packages/contract by `npm run openapi`; do not edit. -->'

function index(sections: readonly ReferenceSection[]): string {
  const list = sections.map(({ title, slug }) => `- [${title}](${slug}.md)`).join('\n')
  return `${notice}\n\n# The API\n\n${list}\n\nThe same as [OpenAPI 3.1](openapi.json). A running server shows it at \`/docs\`.\n`
}

/** Which page an anchor is on: on the server all are on one. */
function anchors(sections: readonly ReferenceSection[]): Map<string, string> {
  const pages = new Map<string, string>()
  for (const { slug, markdown } of sections) {
    for (const [, heading = ''] of markdown.matchAll(/^### (\w+)$/gm)) pages.set(heading.toLowerCase(), slug)
  }
  return pages
}

function asFile(markdown: string, slug: string, pageOf: Map<string, string>): string {
  const text = markdown
    .replace(/^## /, '# ')
    .replace(/^### /gm, '## ')
    .replace(/^#### /gm, '### ')
    .replaceAll('](/docs/errors/', '](../errors/')
    .replace(/\]\(\.\.\/errors\/(\w+)\)/g, '](../errors/$1.md)')
    .replace(/\]\(#([\w-]+)\)/g, (link, name: string) => {
      const page = pageOf.get(name)
      return page === undefined || page === slug ? link : `](${page}.md#${name})`
    })
  return `${notice}\n\n${text.trimEnd()}\n`
}

/** Writes docs/api anew; pages of tags that are gone are removed. */
function write(): void {
  mkdirSync(folder, { recursive: true })
  const documents = apiDocuments()
  for (const name of readdirSync(folder)) if (!documents.has(name)) rmSync(join(folder, name))
  for (const [name, text] of documents) writeFileSync(join(folder, name), text)
}

if (import.meta.main) write()
