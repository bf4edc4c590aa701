// Makes docs/cli.md from the table of commands: npm run cli-docs
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type CommandDeclaration, globalOptions } from '@kyros/cli/command-line/declaration'
import { declarations } from '@kyros/cli/command-line/declarations'

const path = fileURLToPath(new URL('../docs/cli.md', import.meta.url))

const introduction = `# The command line

<!-- Made from the table of commands by tools/cli-docs.ts; a test holds that it is current. -->

In a clone of the repository, \`npm run -s kyros -- <words>\` or \`node cli/bin/kyros.js <words>\` stands for \`kyros <words>\`.

Commands find their server by \`--url\`, \`KYROS_URL\`, or the data directory of the one on this machine, and say who is
calling by \`KYROS_TOKEN\`, by what \`kyros login\` kept, or by the local credential in the data directory.

Results go to standard output, everything about them to standard error. In a pipe tables have no titles and are separated
by tabs; colours are for terminals only, and \`NO_COLOR\` turns them off. \`--json\` prints one object, or one per line.
An error is two lines: what happened, and what to do next; with \`--json\` it is \`{"error": {"code", "message", "next"}}\`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | wrong usage, also where only the server could tell: an unknown workflow, an input that does not fit |
| 3 | not found |
| 4 | not allowed |
| 5 | the server cannot be reached |
| 130 | interrupted |

Ctrl-C while following a run leaves the run going and says how to return; a second one within three seconds cancels it.
`

/** The text of docs/cli.md. */
export function cliDocs(): string {
  const options = globalOptions.map(([flags, meaning]) => `- \`${flags}\` ${meaning}`)
  const everywhere = ['## Everywhere', '', ...options].join('\n')
  return `${[introduction, everywhere, ...declarations.map(section)].join('\n\n').replaceAll('\n\n\n', '\n\n')}\n`
}

/** Whether docs/cli.md is what the table says. */
export function isCliDocsCurrent(): boolean {
  try {
    return readFileSync(path, 'utf8') === cliDocs()
  } catch {
    return false
  }
}

function section({ path: name, takes, summary, options, example }: CommandDeclaration): string {
  const title = `## kyros ${name}${takes === undefined ? '' : ` ${takes}`}`
  const list = (options ?? []).map(([flags, meaning]) => `- \`${flags}\` ${meaning}`)
  const code = `\`\`\`sh\n${example}\n\`\`\``
  return [
    title.replaceAll('<', '\\<'),
    `${summary}.`,
    code,
    ...(list.length > 0 ? [list.join('\n')] : []),
  ].join('\n\n')
}

if (import.meta.main) writeFileSync(path, cliDocs())
