import { resolve } from 'node:path'
import { ApiError } from '@kyros/client/api-error'
import type { Client } from '@kyros/client/client'
import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { Json, JsonObject } from '@kyros/contract/json'
import { isTerminal } from '@kyros/contract/run-status'
import type { ClusterHistory, ConformHistory, ConformResult } from '@kyros/engine/temporal/conform'
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

type Found = {
  histories: (ConformHistory | ClusterHistory)[]
  /** Runs that cannot be replayed, and why. */
  leftOut: Map<string, number>
}

/** `kyros conform`: recorded histories, those that come with Kyros, or those of a fresh run, replayed by Temporal's own core. */
export const conform: CommandFunction = async (context) => {
  const workflow = context.arguments[0]
  const limit = context.options.integer('limit', { minimum: 1, maximum: maxLimit }) ?? defaultLimit
  const { histories, leftOut } = await findHistories(context, workflow, limit)
  const engine = await import('@kyros/engine/temporal/conform')
  const results = await engine.conform({ histories, onResult: (result) => printResult(context, result) })
  const differing = results.filter(({ ok }) => !ok).length
  const definitions = new Set(results.map(({ definition }) => definition)).size
  for (const [why, count] of leftOut) context.terminal.note(`left out: ${count} runs on Temporal: ${why}`)
  if (context.wantsJson) {
    const left = [...leftOut.values()].reduce((sum, count) => sum + count, 0)
    const counts = { histories: results.length, definitions, differ: differing, left_out: left }
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
    if (found.histories.length + found.leftOut.size > 0) return found
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
  if (isAsked || !isBuiltIn) return { histories: recorded, leftOut: new Map() }
  context.terminal.note(
    'No recorded run was found: replaying those that come with Kyros, and one made for this, in memory.',
  )
  const { freshHistory } = await import('../conform/fresh-history.ts')
  return { histories: [...recorded, await freshHistory(context)], leftOut: new Map() }
}

async function readHistories(client: Client, workflow: string | undefined, limit: number): Promise<Found> {
  const query = { limit: maxLimit, ...(workflow !== undefined && { type: workflow }) }
  const { workflows } = await client.call('listRuns', { query })
  const ended = workflows.filter((run) => isTerminal(run.status)).slice(0, limit)
  const found: Found = { histories: [], leftOut: new Map() }
  const cluster = new ClusterReader(client)
  for (const { id, engine } of ended) {
    const history = await (engine === 'temporal' ? cluster.read(id) : readHistory(client, id))
    if (typeof history === 'string') found.leftOut.set(history, (found.leftOut.get(history) ?? 0) + 1)
    else if (history !== undefined) found.histories.push(history)
  }
  return found
}

/** Runs on a cluster, by way of the server. */
class ClusterReader {
  readonly #client: Client
  readonly #codes = new Map<string, string>()
  #last: string | undefined
  #fault: string | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** A text says why the run is left out. @throws ApiError for what is not about the cluster */
  async read(runId: string): Promise<ClusterHistory | string> {
    // It would be asked for each of them, and wait each time.
    if (this.#fault !== undefined) return this.#fault
    try {
      return await this.#read(runId)
    } catch (error) {
      if (!(error instanceof ApiError) || !error.code.startsWith('temporal_')) throw error
      this.#fault = error.message
      return this.#fault
    }
  }

  async #read(runId: string): Promise<ClusterHistory | string> {
    const request = { params: { id: runId }, timeoutMs: historyTimeoutMs }
    const { type: workflow, definition } = await this.#client.call('getRun', request)
    const query = { ...(this.#last !== undefined && { known_build: this.#last }) }
    const answer = await this.#client.call('getRunExecutions', { ...request, query })
    const { build, code = null, code_missing: missing } = answer
    if (build === '') return 'the cluster does not have their histories'
    if (code !== null) this.#codes.set(build, code)
    const known = this.#codes.get(build)
    if (known === undefined) return missing ?? 'the bundle of their build is missing'
    this.#last = build
    // Border cast: the answer is JSON, from whoever read it.
    const histories = answer.histories as JsonObject[]
    return { run: { runId, workflow }, definition, build, code: known, histories }
  }
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
