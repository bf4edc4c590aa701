import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { createDefinitionCache } from '../definitions/definition-cache.ts'
import { loadBundle } from '../definitions/definitions.ts'
import { asNewEvent, originOf } from '../embedded/history.ts'
import { seenBy } from '../embedded/run-facts.ts'
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
      /** Both sides in words. */
      detail: string
      /** The first command that differs, as `kind name`; undefined for the side that has no more. */
      differs: { command: number; recorded: string | undefined; asked: string | undefined } | undefined
      /** Commands in order: all of the history, and those of the replay before it was stopped. */
      recorded: string[]
      replayed: string[]
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
    const recordedEvents = events.map(asNewEvent)
    const facts = { ...factsFrom(run, hash), ...seenBy(originOf(recordedEvents)) }
    const result = await replayEvents(recordedEvents, facts, loaded)
    const { outcome, recorded, replayed, divergence } = result
    if (outcome?.kind !== 'blocked') return { ok: true, outcome: outcome?.kind ?? 'waits' }
    const named = (side: { kind: string; name: string } | undefined) => side && `${side.kind} ${side.name}`
    const differs = divergence && {
      command: divergence.command,
      recorded: named(divergence.recorded),
      asked: named(divergence.asked),
    }
    return { ok: false, detail: outcome.detail, differs, recorded, replayed }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

function factsFrom(run: RecordedHistory['run'], hash: string): Parameters<typeof replayEvents>[1] {
  const facts = {
    runId: run.id,
    workflow: run.type,
    version: run.version,
    definition: hash,
    attempt: run.attempt,
    maxRetries: run.max_retries,
    timeoutSeconds: 0,
    // What was recorded was JSON.
    input: run.input as Json,
    priority: 'medium' as const,
    principal: { id: 'user:test', role: 'admin' as const },
  }
  return facts
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
