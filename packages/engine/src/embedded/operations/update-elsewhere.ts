import { type ErrorData, isRunEnd } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { RunRecord, Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import type { EngineParts } from '../engine-parts.ts'
import { readHistory } from '../history.ts'
import type { LiveRun } from '../live-run.ts'
import { readFacts } from '../run-facts.ts'
import type { UpdateEnd } from '../workflow-command.ts'
import { replayBeside } from './scratch-replay.ts'
import { notStarted, pending, refusedAs, resultOf } from './update-run.ts'

type Parts = Pick<EngineParts, 'store' | 'definitions' | 'clock'>
type Asked = { name: string; updateId: string }

/**
 * For an update that another process sends: it waits for what the log says, so a refusal is recorded too.
 * @throws run_ended
 */
export async function updateByInbox(
  store: Store,
  run: LiveRun,
  { name, updateId, stored, actor }: Asked & { stored: Json; actor: string },
): Promise<void> {
  const payload = await fromStored(stored, store.blobs)
  const refused = (error: ErrorData) => {
    run.push({ type: 'update.failed', data: { update: name, update_id: updateId, error } })
  }
  await run.act((_hands, done) => {
    const { host } = run
    const refusal = () =>
      host === undefined || run.startedMs === undefined
        ? { code: 'update_unknown', message: 'The run has not begun.' }
        : host.refusal(name, payload)
    const asker = { answer: () => {}, refused, lost: () => {} }
    run.asked().updates.ask({ name, updateId, payload, stored, actor, refusal }, asker)
    done()
  })
}

/**
 * What the log already says of an update; undefined when it is new, and the run would take it.
 * @throws run_not_started, update_unknown, update_rejected
 */
export async function knownOrTaken(
  { store, definitions }: Parts,
  record: RunRecord,
  { name, updateId }: Asked,
  payload: Json,
): Promise<{ end: UpdateEnd | undefined } | undefined> {
  const history = await readHistory(store, record.id)
  const { events, startedMs, asks } = history
  if (asks?.updates.has(updateId)) return { end: asks.updates.get(updateId) }
  const loaded = record.definition === '' ? undefined : await definitions.load(record.definition)
  if (startedMs === undefined || loaded === undefined) throw notStarted(record.id)
  const facts = await readFacts(record, history, store)
  const refusal = (await replayBeside(events, facts, loaded)).refusal(name, payload)
  if (refusal !== undefined) throw refusedAs(refusal)
  return undefined
}

/** Waits until `untilMs` for the log to hold the answer, after `afterSeq`. @throws update_pending, update_failed, run_ended */
export async function awaitAnswer(
  { store, clock }: Parts,
  runId: string,
  asked: Asked,
  { afterSeq, untilMs }: { afterSeq: number; untilMs: number },
): Promise<Json> {
  const over = new AbortController()
  const giveUp = () => over.abort()
  clock.sleep(Math.max(0, untilMs - clock.nowMs()), over.signal).then(giveUp, () => {})
  try {
    for await (const batch of store.events.follow({ after: afterSeq, runId }, over.signal)) {
      const events = 'events' in batch ? batch.events : []
      if (events.some(({ data }) => data.update_id === asked.updateId)) {
        const end = (await readHistory(store, runId)).asks?.updates.get(asked.updateId)
        if (end !== undefined) return resultOf(asked, end)
      }
      if (events.some(({ type }) => isRunEnd(type))) {
        throw problem('run_ended', { detail: `The run ${runId} ended before it answered.` })
      }
    }
  } finally {
    over.abort()
  }
  throw pending(asked)
}
