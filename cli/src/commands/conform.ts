import { resolve } from 'node:path'
import type { Client } from '@kyros/client/client'
import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { isTerminal } from '@kyros/contract/run-status'
import type { ConformHistory, ConformResult } from '@kyros/engine/temporal/conform'
import type { CommandContext, CommandFunction } from '../command-line/command-context.ts'
import { CommandError } from '../command-line/command-error.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { openConfig } from '../compose/open-config.ts'
import { connect } from '../connect/connect.ts'
import { runningServer } from '../connect/server-file.ts'

const defaultLimit = 20
const maxLimit = 200
/** A long history with large values takes its time. */
const historyTimeoutMs = 300_000

/** `kyros conform`: recorded histories, or those of a fresh run, replayed by Temporal's own core. */
export const conform: CommandFunction = async (context) => {
  const workflow = context.arguments[0]
  const limit = context.options.integer('limit', { minimum: 1, maximum: maxLimit }) ?? defaultLimit
  const histories = await recordedHistories(context, workflow, limit)
  const engine = await import('@kyros/engine/temporal/conform')
  const results = await engine.conform({ histories })
  for (const result of results) printResult(context, result)
  const differing = results.filter(({ ok }) => !ok).length
  const definitions = new Set(results.map(({ definition }) => definition)).size
  if (context.wantsJson) {
    context.terminal.json({ histories: results.length, definitions, differ: differing })
  } else {
    context.terminal.out(`${results.length} histories of ${definitions} definitions, ${differing} differ`)
  }
  return differing === 0 ? exitCode.done : exitCode.failed
}

/** From the server there is; without one, or when it has none, from a run made for this in memory. */
async function recordedHistories(
  context: CommandContext,
  workflow: string | undefined,
  limit: number,
): Promise<ConformHistory[]> {
  const { config } = openConfig(context)
  const dataDir = resolve(context.directory, config.data_dir)
  if (config.client.url !== undefined || runningServer(dataDir) !== undefined) {
    const { client } = await connect(context)
    const found = await readHistories(client, workflow, limit)
    if (found.length > 0) return found
  }
  if (workflow !== undefined && workflow !== 'code_analysis') {
    throw new CommandError(
      `There is no recorded run of ${workflow}.`,
      `Make one with \`${context.callName} run ${workflow} --follow\`, then repeat.`,
    )
  }
  context.terminal.note('No recorded run was found: replaying one made for this, in memory.')
  const { freshHistory } = await import('../conform/fresh-history.ts')
  return [await freshHistory(context)]
}

async function readHistories(
  client: Client,
  workflow: string | undefined,
  limit: number,
): Promise<ConformHistory[]> {
  const query = { limit: maxLimit, ...(workflow !== undefined && { type: workflow }) }
  const { workflows } = await client.call('listRuns', { query })
  const ended = workflows.filter((run) => isTerminal(run.status)).slice(0, limit)
  const histories: ConformHistory[] = []
  for (const { id } of ended) {
    const history = await readHistory(client, id)
    if (history !== undefined) histories.push(history)
  }
  return histories
}

/** The history of one run; undefined when it never came as far as a definition. */
export async function readHistory(client: Client, runId: string): Promise<ConformHistory | undefined> {
  const request = { params: { id: runId }, timeoutMs: historyTimeoutMs }
  const { run, definition: source, events } = await client.call('getRunHistory', request)
  if (source === '') return undefined
  const { type: workflow, version, attempt, definition } = run
  return {
    // The answer's input is JSON: it came from there.
    run: { runId, workflow, version, attempt, input: run.input as Json },
    source,
    definition,
    events: events.flatMap((event): RunEvent[] => {
      const known: { type: string; run_id?: string; run_seq?: number } = event
      return isRunEvent(known) ? [known] : []
    }),
  }
}

function printResult({ terminal, wantsJson }: CommandContext, result: ConformResult): void {
  if (wantsJson) {
    terminal.json(result)
    return
  }
  const facts = `${result.runId} ${result.workflow}, ${result.temporalEvents} events`
  if (result.ok) terminal.out(`${terminal.paint('green', 'ok  ')} ${facts}`)
  else terminal.out(`${terminal.paint('red', 'BAD ')} ${facts}: ${result.message}`)
}
