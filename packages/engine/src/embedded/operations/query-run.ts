import type { Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { RunRecord, Store } from '@kyros/store/store'
import type { EngineParts } from '../engine-parts.ts'
import { readHistory } from '../history.ts'
import type { LiveRun } from '../live-run.ts'
import { isSmall, maxPayloadBytes } from '../payload.ts'
import { readFacts } from '../run-facts.ts'
import type { QueryAnswer } from '../workflow-messages.ts'
import { replayBeside } from './scratch-replay.ts'
import { notStarted } from './update-run.ts'

/** Asks the definition of a run in memory. @throws query_unknown, query_failed, run_not_started, run_ended */
export async function queryLive(run: LiveRun, name: string, payload: Json): Promise<Json> {
  let answer: QueryAnswer | undefined
  await run.act((_hands, done) => {
    if (run.startedMs !== undefined) answer = run.host?.query(name, payload)
    done()
  })
  if (answer === undefined) throw notStarted(run.facts.runId)
  return answered(name, answer)
}

/** Replays the run from its log and asks that. @throws query_unknown, query_failed, run_not_started */
export async function queryBeside(
  parts: Pick<EngineParts, 'definitions'> & { store: Store },
  record: RunRecord,
  name: string,
  payload: Json,
): Promise<Json> {
  const history = await readHistory(parts.store, record.id)
  const { events, startedMs } = history
  const loaded = record.definition === '' ? undefined : await parts.definitions.load(record.definition)
  if (startedMs === undefined || loaded === undefined) throw notStarted(record.id)
  const host = await replayBeside(events, await readFacts(record, history, parts.store), loaded)
  return answered(name, host.query(name, payload))
}

/** @throws query_unknown, query_failed */
export function answered(name: string, answer: QueryAnswer): Json {
  if (answer.ok) return withinBounds(name, answer.result)
  const { code, message } = answer.error
  if (code === 'query_unknown') throw problem('query_unknown', { detail: message })
  throw problem('query_failed', { detail: `The query ${name} failed: ${message}` })
}

function withinBounds(name: string, result: Json): Json {
  const bytes = isSmall(result) ? 0 : Buffer.byteLength(JSON.stringify(result))
  if (bytes <= maxPayloadBytes) return result
  throw problem('query_failed', {
    detail: `The answer of query ${name} has ${bytes} bytes, more than ${maxPayloadBytes}. Let it answer with less.`,
  })
}
