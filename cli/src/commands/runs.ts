import type { Answer } from '@kyros/contract/operation'
import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printFields, printTable } from '../command-line/table.ts'
import { connect } from '../connect/connect.ts'
import { asOfQuery, idArgument, pageQuery, printNextPage } from './arguments.ts'
import { followRun } from './follow-run.ts'
import { ago, duration, statusText } from './format.ts'
import { untilInterrupted } from './interrupt.ts'

type Run = Answer<'getRun'>
type RunSummary = Answer<'listRuns'>['workflows'][number]
type Step = Run['steps'][number]

export const listRuns: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const { options, terminal } = context
  const query = {
    // The server checks the words; the client's type knows only the right ones.
    status: options.text('status') as Run['status'],
    type: options.text('workflow'),
    job_id: options.text('job'),
    attribute: options.text('attribute'),
    ...asOfQuery(context),
    ...pageQuery(context),
  }
  const page = await client.call('listRuns', { query })
  if (context.wantsJson) terminal.json(page)
  else {
    printTable(terminal, runColumns(context), page.workflows)
    printNextPage(context, page.next_cursor, page.workflows.length)
  }
  return exitCode.done
}

export const getRun: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const request = { params: { id: idArgument(context) }, query: asOfQuery(context) }
  printRun(context, await client.call('getRun', request))
  return exitCode.done
}

export const cancelRun: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const reason = context.options.text('reason')
  const body = reason === undefined ? {} : { reason }
  printRun(context, await client.call('cancelRun', { params: { id: idArgument(context) }, body }))
  return exitCode.done
}

export const retryRun: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const started = await client.call('retryRun', { params: { id: idArgument(context) } })
  if (context.options.flag('follow')) return followRun(context, started.run_id)
  if (context.wantsJson) context.terminal.json(started)
  else context.terminal.out(started.run_id)
  return exitCode.done
}

export const runLogs: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const id = idArgument(context)
  const step = context.options.text('step')
  if (context.options.flag('follow')) {
    await untilInterrupted(async (signal) => {
      const stream = client.stream('listRunLogs', { params: { id }, query: { step, follow: true }, signal })
      for await (const message of stream) if (message.kind === 'item') printLine(context, message.item)
    })
    return exitCode.done
  }
  let after = 0
  for (;;) {
    const page = await client.call('listRunLogs', { params: { id }, query: { step, after, limit: 200 } })
    for (const line of page.lines) printLine(context, line)
    const last = page.lines.at(-1)
    if (last === undefined || page.lines.length < 200) return exitCode.done
    after = last.line
  }
}

export const whyRun: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const why = await client.call('whyRun', { params: { id: idArgument(context) } })
  if (context.wantsJson) {
    context.terminal.json(why)
    return exitCode.done
  }
  printFields(context.terminal, [
    ['status', why.status],
    ...why.waits_for.map((wait) => [`waits for ${wait.kind}`, `${wait.name}: ${wait.detail}`] as const),
    ['since', why.since ?? '-'],
    ['what would move it', why.what_would_move_it],
  ])
  return exitCode.done
}

export const runEvents: CommandFunction = async (context) => {
  const { client } = await connect(context)
  const id = idArgument(context)
  let cursor: string | undefined
  do {
    const query = { limit: 200, ...(cursor !== undefined && { cursor }) }
    const page = await client.call('listRunEvents', { params: { id }, query })
    for (const event of page.events) {
      if (context.wantsJson) context.terminal.json(event)
      else context.terminal.out([event.seq, event.time, event.type, JSON.stringify(event.data)].join('\t'))
    }
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  return exitCode.done
}

function runColumns(context: CommandContext) {
  const nowMs = Date.now()
  return [
    { title: 'ID', value: (run: RunSummary) => run.id },
    { title: 'STATUS', value: (run: RunSummary) => statusText(run.status, run.reason) },
    { title: 'WORKFLOW', value: (run: RunSummary) => run.type },
    { title: 'STEPS', value: (run: RunSummary) => `${run.steps_completed}/${run.steps_total}` },
    { title: 'NAME', value: (run: RunSummary) => run.name },
    {
      title: 'CREATED',
      value: (run: RunSummary) =>
        context.terminal.isInteractive ? ago(run.created_at, nowMs) : run.created_at,
    },
  ]
}

export function printRun(context: CommandContext, run: Run): void {
  const { terminal } = context
  if (context.wantsJson) {
    terminal.json(run)
    return
  }
  printFields(terminal, [
    ['id', run.id],
    ['name', run.name],
    ['workflow', `${run.type} ${run.version}`],
    ['status', statusText(run.status, run.reason)],
    ...(run.reason_detail === null ? [] : [['detail', run.reason_detail] as const]),
    ['job', run.job_id],
    ['created', run.created_at],
    ...(run.error === null ? [] : [['error', `${run.error.code}: ${run.error.message}`] as const]),
  ])
  if (run.steps.length > 0) terminal.out('')
  if (run.steps_omitted !== undefined) {
    terminal.note(
      `${run.steps_omitted} earlier steps are left out: ${context.callName} runs events ${run.id}`,
    )
  }
  printTable(terminal, stepColumns, run.steps)
}

const stepColumns = [
  { title: 'STEP', value: (step: Step) => step.key },
  { title: 'STATUS', value: (step: Step) => step.status },
  { title: 'ATTEMPTS', value: (step: Step) => String(step.attempts.length), align: 'right' as const },
  { title: 'DURATION', value: (step: Step) => stepDuration(step), align: 'right' as const },
]

function stepDuration(step: Step): string {
  if (step.started_at === null) return '-'
  const endMs = step.completed_at === null ? Date.now() : Date.parse(step.completed_at)
  return duration(endMs - Date.parse(step.started_at))
}

type LogLine = Answer<'listRunLogs'>['lines'][number]

function printLine(context: CommandContext, line: LogLine): void {
  if (context.wantsJson) context.terminal.json(line)
  else context.terminal.out([line.time, line.level, line.step ?? '-', line.message].join('\t'))
}
