// Writes the page of every problem code that has none yet: `npm run error-pages`. Then write its sentences.
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isProblemCode, type ProblemCode, problems, problemType } from '@kyros/contract/problem'
import { pagePlaceholder, pageSections } from '../test/problem-rules.ts'

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'errors')

/** A page with the example body from the table and a placeholder under each other heading. */
function pageOf(code: ProblemCode, { status, title }: { status: number; title: string }): string {
  const body = {
    type: problemType(code),
    title,
    status,
    detail: pagePlaceholder,
    code,
    request_id: '01932f5c-7d1e-7b6a-9c55-0d6f0f6f3a10',
  }
  const sections = pageSections.map((section) => {
    const example = `\`\`\`json\n${JSON.stringify(body, null, 2)}\n\`\`\``
    return `## ${section}\n\n${section === 'Example' ? example : pagePlaceholder}`
  })
  return `${[`# ${code}`, `HTTP ${status}: ${title}.`, ...sections].join('\n\n')}\n`
}

for (const [code, problem] of Object.entries(problems)) {
  const path = join(folder, `${code}.md`)
  if (existsSync(path) || !isProblemCode(code)) continue
  writeFileSync(path, pageOf(code, problem))
  process.stdout.write(`docs/errors/${code}.md: write what is marked ${pagePlaceholder}\n`)
}
