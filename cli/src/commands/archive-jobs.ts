import type { CommandFunction } from '../command-line/command-context.ts'
import { wrongUsage } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { connect } from '../connect/connect.ts'
import { confirm } from './ask.ts'

const dayBounds = { minimum: 0, maximum: 36_500 }
/** One part of the work reads and writes whole histories. */
const partTimeoutMs = 300_000

/** `kyros jobs archive`: part by part, so that the server does its other work meanwhile. */
export const archiveJobs: CommandFunction = async (context) => {
  const days = context.options.integer('olderThanDays', dayBounds)
  if (days === undefined) {
    throw wrongUsage('It is not said how old.', 'Give --older-than-days, for example 90.')
  }
  await confirm(
    `Jobs that ended ${days} or more days ago are archived on the server and removed from its database.`,
    context.options.flag('yes'),
  )
  const { client } = await connect(context)
  const archives: string[] = []
  const total = { jobs: 0, runs: 0, archives }
  for (let hasMore = true; hasMore; ) {
    const part = await client.call('archiveJobs', {
      body: { older_than_days: days },
      timeoutMs: partTimeoutMs,
    })
    total.jobs += part.jobs
    total.runs += part.runs
    if (part.archive !== null) archives.push(part.archive)
    hasMore = part.has_more
  }
  if (context.wantsJson) context.terminal.json(total)
  else {
    context.terminal.out(`${total.jobs} jobs with ${total.runs} runs are archived.`)
    for (const file of archives) context.terminal.out(file)
  }
  return exitCode.done
}
