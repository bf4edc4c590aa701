import { ApiError } from '@kyros/client/api-error'
import type { Client } from '@kyros/client/client'
import type { StreamStatus } from '@kyros/client/events'
import type { LoggedEvent } from '../api/queries.ts'

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
  const listeners = new Set<(message: LiveMessage) => void>()
  const subscribers = new Set<() => void>()
  let state: LiveState = { kind: 'connecting' }
  let last: number | undefined
  let scope: LiveScope = { kind: 'all' }
  let connection: AbortController | undefined

  function setState(next: LiveState) {
    state = next
    for (const subscriber of subscribers) subscriber()
  }

  function setStatus(status: StreamStatus) {
    if (status.kind !== 'offline') return setState(status)
    if (status.failures <= toleratedFailures) return setState({ kind: 'catching_up' })
    if (state.kind !== 'offline') setState({ kind: 'offline', sinceMs: Date.now() })
  }

  function deliver(message: LiveMessage) {
    for (const listener of listeners) listener(message)
  }

  /** Each scope keeps its own place: numbers seen of one run say nothing about the others. */
  function advance(number: number) {
    if (scope.kind === 'run') scope.after = Math.max(scope.after, number)
    else last = Math.max(last ?? 0, number)
  }

  async function follow(signal: AbortSignal) {
    const options = { signal, onStatus: (status: StreamStatus) => signal.aborted || setStatus(status) }
    try {
      for await (const message of open(client, scope, last, options)) {
        if (signal.aborted) return
        if (message.kind === 'reset') deliver({ kind: 'reset' })
        else {
          advance(message.number)
          deliver({ kind: 'event', event: message.item })
        }
      }
    } catch (error) {
      if (!signal.aborted) setState(refusal(error))
    }
  }

  function connect() {
    connection?.abort()
    connection = new AbortController()
    void follow(connection.signal)
  }

  function narrow(next: LiveScope) {
    scope = next
    if (connection !== undefined) connect()
    return () => {
      if (scope !== next) return
      scope = { kind: 'all' }
      if (connection !== undefined) connect()
    }
  }

  return {
    start(after) {
      if (connection !== undefined) return
      last ??= after
      connect()
    },
    stop() {
      connection?.abort()
      connection = undefined
      last = undefined
      setState({ kind: 'connecting' })
    },
    narrow,
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
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    subscribe(listener) {
      subscribers.add(listener)
      return () => subscribers.delete(listener)
    },
    state: () => state,
  }
}

type Options = { signal: AbortSignal; onStatus: (status: StreamStatus) => void }

function open(client: Client, scope: LiveScope, last: number | undefined, options: Options) {
  if (scope.kind === 'run') {
    const after = scope.after
    return client.stream('listRunEvents', { params: { id: scope.runId }, after, ...options })
  }
  return client.stream('streamEvents', last === undefined ? options : { after: last, ...options })
}

function refusal(error: unknown): LiveState {
  if (error instanceof ApiError) return { kind: 'refused', title: error.title, detail: error.detail }
  return { kind: 'refused', title: 'The live connection broke', detail: String(error) }
}
