import type { Answer } from '@kyros/contract/operation'
import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { wrongUsage } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printFields, printTable } from '../command-line/table.ts'
import { connect } from '../connect/connect.ts'
import { asOfQuery, idArgument, pageQuery, printNextPage } from './arguments.ts'
import { followRun } from './follow-run.ts'
import { ago, statusText } from './format.ts'
import { readJsonArgument } from './read-json-argument.ts'
import { withAbsoluteRepository } from './repository-input.ts'

type Job = Answer<'getJob'>

export const listJobs: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const { options, terminal } = context
  const query = {
    // The server checks the words; the client's type knows only the right ones.
    status: options.text('status') as Job['status'],
    workflow: options.text('workflow'),
    q: options.text('search'),
    ...asOfQuery(context),
    ...pageQuery(context),
  }
  const page = await client.call('listJobs', { query })
  if (context.wantsJson) terminal.json(page)
  else {
    printTable(terminal, jobColumns(context), page.jobs)
    printNextPage(context, page.next_cursor, page.jobs.length)
  }
  return exitCode.done
}

export const getJob: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const request = { params: { id: idArgument(context) }, query: asOfQuery(context) }
  printJob(context, await client.call('getJob', request))
  return exitCode.done
}

export const submitJob: CommandFunction = async (context) => {
  const { options } = context
  const title = context.arguments[0]
  const task = options.text('task')
  const workflow = options.text('workflow')
  if (title === undefined && task === undefined && workflow === undefined) {
    throw wrongUsage('The job says nothing to do.', 'Give a title, --task or --workflow.')
  }
  const input = readJsonArgument('input', options.text('input'), context.directory)
  const { client } = await connect(context)
  const body = {
    ...(title !== undefined && { title }),
    ...(task !== undefined && { task }),
    ...(workflow !== undefined && { workflow }),
    ...(input !== undefined && { input: withAbsoluteRepository(workflow, input, context.directory) }),
    // The server checks the word; the client's type knows only the right ones.
    ...(options.text('priority') !== undefined && { priority: options.text('priority') as Job['priority'] }),
  }
  const job = await client.call('submitJob', { body })
  if (options.flag('follow')) return followRun(context, job.run_id)
  printJob(context, job)
  return exitCode.done
}

export const cancelJob: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const reason = context.options.text('reason')
  const body = reason === undefined ? {} : { reason }
  printJob(context, await client.call('cancelJob', { params: { id: idArgument(context) }, body }))
  return exitCode.done
}

export const retryJob: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const job = await client.call('retryJob', { params: { id: idArgument(context) } })
  if (context.options.flag('follow')) return followRun(context, job.run_id)
  printJob(context, job)
  return exitCode.done
}

export const deleteJob: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const query = context.options.flag('force') ? { force: true } : {}
  const answer = await client.call('deleteJob', { params: { id: idArgument(context) }, query })
  if (context.wantsJson) context.terminal.json(answer)
  else context.terminal.out(answer.message)
  return exitCode.done
}

function jobColumns(context: CommandContext) {
  const nowMs = Date.now()
  return [
    { title: 'ID', value: (job: Job) => job.id },
    { title: 'STATUS', value: (job: Job) => statusText(job.status, job.reason) },
    { title: 'WORKFLOW', value: (job: Job) => job.workflow ?? '-' },
    { title: 'TITLE', value: (job: Job) => job.title },
    {
      title: 'CREATED',
      value: (job: Job) => (context.terminal.isInteractive ? ago(job.created_at, nowMs) : job.created_at),
    },
  ]
}

function printJob(context: CommandContext, job: Job): void {
  if (context.wantsJson) {
    context.terminal.json(job)
    return
  }
  printFields(context.terminal, [
    ['id', job.id],
    ['title', job.title],
    ['status', statusText(job.status, job.reason)],
    ...(job.reason_detail === null ? [] : [['waits for', job.reason_detail] as const]),
    ['workflow', job.workflow ?? '-'],
    ['run', job.run_id],
    ['steps', `${job.steps_completed} of ${job.steps_total}`],
    ['created', job.created_at],
    ...(job.error === null ? [] : [['error', `${job.error.code}: ${job.error.message}`] as const]),
  ])
}
