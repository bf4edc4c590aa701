import { ApiError } from '@kyros/client/api-error'
import type { Client } from '@kyros/client/client'
import type { StreamStatus } from '@kyros/client/events'
import type { LoggedEvent } from '../api/queries.ts'
import { createListeners } from './listeners.ts'

export type LiveState =
  | { kind: 'connecting' }
  | { kind: 'connected' }
  | { kind: 'catching_up' }
  | { kind: 'offline'; sinceMs: number }
  /** Hidden tabs give their connection back: browsers allow six to a server, over all tabs. */
  | { kind: 'paused' }
  | { kind: 'refused'; title: string; detail: string }

/** What is followed: everything, or the events of one run while its page is open. */
export type LiveScope = { kind: 'all' } | { kind: 'run'; runId: string; after: number }

export type LiveMessage = { kind: 'event'; event: LoggedEvent } | { kind: 'reset' }

export type LiveStream = {
  /** Begins behind event `after`; does nothing when it already runs. */
  start(after: number): void
  stop(): void
  /** Follows something narrower until the returned function is called. */
  narrow(scope: LiveScope): () => void
  listen(listener: (message: LiveMessage) => void): () => void
  subscribe(listener: () => void): () => void
  state(): LiveState
  pause(): void
  resume(): void
}

/** Shorter breaks than this are a server restarting a stream, not an outage worth a warning. */
const toleratedFailures = 1

/** The page's one event stream: one connection, whatever is open. */
export function createLiveStream(client: Client): LiveStream {
  const messages = createListeners<LiveMessage>()
  const changes = createListeners<void>()
  const place: Place = { scope: { kind: 'all' }, last: undefined }
  let state: LiveState = { kind: 'connecting' }
  let connection: AbortController | undefined

  function setState(next: LiveState) {
    if (next === state) return
    state = next
    changes.tell()
  }

  function connect() {
    connection?.abort()
    connection = new AbortController()
    const { signal } = connection
    const onStatus = (status: StreamStatus) => signal.aborted || setState(nextState(state, status))
    follow(client, place, { signal, onStatus }, messages.tell).catch((error: unknown) => {
      if (!signal.aborted) setState(refusal(error))
    })
  }

  function widenOrNarrow(scope: LiveScope) {
    place.scope = scope
    if (connection !== undefined) connect()
  }

  return {
    start(after) {
      if (connection !== undefined) return
      place.last ??= after
      connect()
    },
    stop() {
      connection?.abort()
      connection = undefined
      place.last = undefined
      setState({ kind: 'connecting' })
    },
    narrow(scope) {
      widenOrNarrow(scope)
      return () => {
        if (place.scope === scope) widenOrNarrow({ kind: 'all' })
      }
    },
    pause() {
      if (connection === undefined || state.kind === 'paused') return
      connection.abort()
      setState({ kind: 'paused' })
    },
    resume() {
      if (state.kind !== 'paused') return
      setState({ kind: 'catching_up' })
      connect()
    },
    listen: messages.add,
    subscribe: changes.add,
    state: () => state,
  }
}

/** What is followed and how far: each scope keeps its own place, for numbers of one run say nothing of the others. */
type Place = { scope: LiveScope; last: number | undefined }

type Options = { signal: AbortSignal; onStatus: (status: StreamStatus) => void }

async function follow(
  client: Client,
  place: Place,
  options: Options,
  deliver: (message: LiveMessage) => void,
) {
  const { scope } = place
  for await (const message of open(client, place, options)) {
    if (options.signal.aborted) return
    if (message.kind === 'reset') {
      deliver({ kind: 'reset' })
      continue
    }
    if (scope.kind === 'run') scope.after = Math.max(scope.after, message.number)
    else place.last = Math.max(place.last ?? 0, message.number)
    deliver({ kind: 'event', event: message.item })
  }
}

function open(client: Client, { scope, last }: Place, options: Options) {
  if (scope.kind === 'run') {
    const { runId, after } = scope
    return client.stream('listRunEvents', { params: { id: runId }, after, ...options })
  }
  return client.stream('streamEvents', last === undefined ? options : { after: last, ...options })
}

/** What the page shows once the connection says `status`. */
function nextState(state: LiveState, status: StreamStatus): LiveState {
  if (status.kind === 'connected' || status.kind === 'catching_up') return status
  // An outage lasts until something is heard again, whatever is tried meanwhile.
  if (state.kind === 'offline') return state
  if (status.kind === 'connecting') return status
  return status.failures <= toleratedFailures
    ? { kind: 'catching_up' }
    : { kind: 'offline', sinceMs: Date.now() }
}

function refusal(error: unknown): LiveState {
  if (error instanceof ApiError) return { kind: 'refused', title: error.title, detail: error.detail }
  return { kind: 'refused', title: 'The live connection broke', detail: String(error) }
}
