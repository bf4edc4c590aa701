import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { createDefinitionCache } from '../definitions/definition-cache.ts'
import { loadBundle } from '../definitions/definitions.ts'
import { asNewEvent } from '../embedded/history.ts'
import { replayEvents } from '../embedded/shadow-replay.ts'

/** A run with its events, as `kyros runs history <id>` prints it and `TestRun.history()` gives it. */
export type RecordedHistory = {
  readonly run: {
    readonly id: string
    readonly type: string
    readonly version: string
    readonly attempt: number
    readonly max_retries: number
    readonly input: unknown
  }
  /** Source of the bundle that ran. */
  readonly definition: string
  readonly events: readonly RunEvent[]
}

export type Replayed =
  | { ok: true; outcome: string }
  | {
      ok: false
      /** What the history holds and what the definition asks for, in words. */
      detail: string
      /** Commands of the history and of the replay, in order; they are the same up to `at`. */
      recorded: string[]
      replayed: string[]
      at: number
    }

/**
 * Replays a recorded run on the definition as it is now, without doing anything: whether runs under way could be moved
 * to it. `history` may be a path to JSON. @throws DefinitionError when the file cannot be used
 */
export async function replayHistory(
  definition: URL | string,
  history: RecordedHistory | URL | string,
): Promise<Replayed> {
  const { run, events } = await read(history)
  const file = definition instanceof URL ? definition : pathToFileURL(resolve(definition))
  const dir = await mkdtemp(join(tmpdir(), 'kyros-replay-'))
  try {
    const cache = createDefinitionCache(dir)
    const { hash, source } = await cache.bundle({ name: 'replayed', entry: file })
    const loaded = await loadBundle(hash, await cache.file(hash, async () => source))
    const facts = factsFrom(run, hash)
    const { outcome, recorded, replayed } = await replayEvents(events.map(asNewEvent), facts, loaded)
    if (outcome?.kind !== 'blocked') return { ok: true, outcome: outcome?.kind ?? 'waits' }
    const differs = recorded.findIndex((command, index) => command !== replayed[index])
    const at = differs < 0 ? recorded.length : differs
    return { ok: false, detail: outcome.detail, recorded, replayed, at }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function factsFrom(run: RecordedHistory['run'], hash: string): Parameters<typeof replayEvents>[1] {
  return {
    runId: run.id,
    workflow: run.type,
    version: run.version,
    definition: hash,
    attempt: run.attempt,
    maxRetries: run.max_retries,
    timeoutSeconds: 0,
    // What was recorded was JSON.
    input: run.input as Json,
    principal: { id: 'user:test', role: 'admin' },
  }
}

async function read(history: RecordedHistory | URL | string): Promise<RecordedHistory> {
  if (typeof history !== 'string' && !(history instanceof URL)) return history
  const path = history instanceof URL ? fileURLToPath(history) : history
  const found: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (!isHistory(found)) {
    throw new Error(`${path} holds no history: it is made with \`kyros runs history <run-id> --json\`.`)
  }
  return { ...found, events: found.events.filter(isRunEvent) }
}

function isHistory(value: unknown): value is RecordedHistory {
  return (
    typeof value === 'object' &&
    value !== null &&
    'run' in value &&
    typeof value.run === 'object' &&
    'events' in value &&
    Array.isArray(value.events)
  )
}
