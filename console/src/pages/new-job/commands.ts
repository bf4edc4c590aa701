import type { JobSubmit } from '@kyros/contract/job'

/** The job as a call of the API that can be pasted into a shell. */
export function curlCommand(origin: string, job: JobSubmit): string {
  return [
    `curl ${origin}/api/v1/jobs \\`,
    '  -H "Authorization: Bearer $KYROS_TOKEN" \\',
    "  -H 'Content-Type: application/json' \\",
    `  -d ${shellQuote(JSON.stringify(job))}`,
  ].join('\n')
}

/** The job as a call of the command line, which needs no token on the same machine. */
export function cliCommand(job: JobSubmit): string {
  const input = job.input === undefined ? [] : [`--input ${shellQuote(JSON.stringify(job.input))}`]
  return [...cliWords(job), ...input, '--follow'].join(' ')
}

/** `run` is the short way; only `jobs submit` takes a priority. */
function cliWords({ title, workflow = '', priority = 'medium' }: JobSubmit): string[] {
  const quoted = title === undefined ? [] : [shellQuote(title)]
  if (priority === 'medium') return ['kyros run', workflow, ...quoted.map((text) => `--title ${text}`)]
  return ['kyros jobs submit', ...quoted, `--workflow ${workflow}`, `--priority ${priority}`]
}

/** Single quotes keep everything as it is; only a single quote itself has to step outside them. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
