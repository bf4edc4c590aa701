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

type Found = { histories: ConformHistory[]; onTemporal: number }

/** `kyros conform`: recorded histories, those that come with Kyros, or those of a fresh run, replayed by Temporal's own core. */
export const conform: CommandFunction = async (context) => {
  const workflow = context.arguments[0]
  const limit = context.options.integer('limit', { minimum: 1, maximum: maxLimit }) ?? defaultLimit
  const { histories, onTemporal } = await findHistories(context, workflow, limit)
  const engine = await import('@kyros/engine/temporal/conform')
  const results = await engine.conform({ histories, onResult: (result) => printResult(context, result) })
  const differing = results.filter(({ ok }) => !ok).length
  const definitions = new Set(results.map(({ definition }) => definition)).size
  if (onTemporal > 0) {
    const why = "their histories are Temporal's own already"
    context.terminal.note(`left out: ${onTemporal} runs on Temporal (${why})`)
  }
  if (context.wantsJson) {
    const counts = { histories: results.length, definitions, differ: differing, left_out: onTemporal }
    context.terminal.json(counts)
  } else {
    context.terminal.out(`${results.length} histories of ${definitions} definitions, ${differing} differ`)
  }
  return differing === 0 ? exitCode.done : exitCode.failed
}

/** From the server there is; without one, or when it has none, those that come with Kyros and a run made for this. */
async function findHistories(
  context: CommandContext,
  workflow: string | undefined,
  limit: number,
): Promise<Found> {
  const { config } = openConfig(context)
  const dataDir = resolve(context.directory, config.data_dir)
  const isAsked = context.options.flag('recorded')
  if (!isAsked && (config.client.url !== undefined || runningServer(dataDir) !== undefined)) {
    const { client } = await connect(context)
    const found = await readHistories(client, workflow, limit)
    if (found.histories.length + found.onTemporal > 0) return found
  }
  const { recordedHistories } = await import('@kyros/engine/golden/recorded-histories')
  const recorded = recordedHistories(workflow)
  const isBuiltIn = workflow === undefined || workflow === 'code_analysis'
  if (recorded.length === 0 && !isBuiltIn) {
    throw new CommandError(
      `There is no recorded run of ${workflow}.`,
      `Make one with \`${context.callName} run ${workflow} --follow\`, then repeat.`,
    )
  }
  if (isAsked || !isBuiltIn) return { histories: recorded, onTemporal: 0 }
  context.terminal.note(
    'No recorded run was found: replaying those that come with Kyros, and one made for this, in memory.',
  )
  const { freshHistory } = await import('../conform/fresh-history.ts')
  return { histories: [...recorded, await freshHistory(context)], onTemporal: 0 }
}

async function readHistories(client: Client, workflow: string | undefined, limit: number): Promise<Found> {
  const query = { limit: maxLimit, ...(workflow !== undefined && { type: workflow }) }
  const { workflows } = await client.call('listRuns', { query })
  const all = workflows.filter((run) => isTerminal(run.status))
  const ended = all.filter(({ engine }) => engine !== 'temporal').slice(0, limit)
  const histories: ConformHistory[] = []
  for (const { id } of ended) {
    const history = await readHistory(client, id)
    if (history !== undefined) histories.push(history)
  }
  return { histories, onTemporal: all.filter(({ engine }) => engine === 'temporal').length }
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
