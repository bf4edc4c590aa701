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
  const words = ['kyros run', job.workflow ?? '']
  if (job.title !== undefined) words.push(`--title ${shellQuote(job.title)}`)
  if (job.priority !== undefined && job.priority !== 'medium') words.push(`--priority ${job.priority}`)
  if (job.input !== undefined) words.push(`--input ${shellQuote(JSON.stringify(job.input))}`)
  return `${words.join(' ')} --follow`
}

/** Single quotes keep everything as it is; only a single quote itself has to step outside them. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
