import { problems } from '@kyros/contract/problem'
import { apiReference } from './api-reference.ts'
import { documentPage } from './document-page.ts'
import { markdownToHtml } from './markdown.ts'

/** `/docs`: the whole API on one page, to be searched with the browser's own search. */
export function referencePage(version: string): string {
  const sections = apiReference()
  const contents = sections.map(({ title, slug }) => `<li><a href="#${slug}">${title}</a></li>`).join('')
  const codes = Object.keys(problems)
    .map((code) => `<li><a href="/docs/errors/${code}"><code>${code}</code></a></li>`)
    .join('')
  const mainHtml = `<h1>The Kyros API</h1>
<p class="soft">Version ${version}. Sign in with <code>POST /auth/login</code> and send <code>Authorization: Bearer …</code>, or an API key as <code>X-API-Key</code>. The same as <a href="/openapi.json">OpenAPI 3.1</a>.</p>
<nav aria-label="Contents"><ul>${contents}<li><a href="#problem-codes">Problem codes</a></li></ul></nav>
${sections.map(({ markdown }) => markdownToHtml(markdown)).join('\n')}
<h2 id="problem-codes">Problem codes</h2>
<nav aria-label="Problem codes"><ul>${codes}</ul></nav>`
  return documentPage({ title: 'The Kyros API', mainHtml, description: 'Reference of the Kyros API' })
}
