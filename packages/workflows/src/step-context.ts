import type { Json } from '@kyros/contract/json'

export type StoredArtifact = {
  readonly name: string
  readonly sha256: string
  readonly bytes: number
}

/** Files of a run. A second `put` under the same name replaces the first, so a retried step is safe. */
export type StepArtifacts = {
  put(name: string, mediaType: string, data: Uint8Array | string): Promise<StoredArtifact>
  get(name: string): Promise<Uint8Array | undefined>
}

/** Pieces that people follow while the step runs: beside the history, in order, and gone with the run. */
export type StepStream = {
  /** Resolves at once; what was written is durable before the end of the attempt is. @throws when the streams are full */
  write(name: string, chunk: Json): Promise<void>
}

/** For whom the step works: what it may touch depends on the role, never on the input. */
export type StepPrincipal = {
  readonly id: string
  readonly role: 'viewer' | 'operator' | 'admin'
}

/** What a step implementation gets beside its input. The engine makes one for each attempt. */
export type StepContext = {
  readonly runId: string
  readonly step: string
  /** 1 for the first try. */
  readonly attempt: number
  /** The same for every attempt of this step, so that a foreign system can drop repeats. */
  readonly idempotencyKey: string
  /** Aborts when the run is cancelled, the step times out, or the process drains. */
  readonly signal: AbortSignal
  /** Absolute path of a private directory of this run: made before its first step, removed when the run ends. */
  readonly workspace: string
  readonly artifacts: StepArtifacts
  readonly principal: StepPrincipal
  readonly stream: StepStream
  /**
   * W3C trace context, where the request that asked for the run had one: its trace, with a span of this attempt. Send it
   * along as the header `traceparent`.
   */
  readonly traceparent?: string | undefined
  log(level: 'info' | 'warn' | 'error', message: string): void
  /** Says that the attempt is alive; the details are shown as its progress. */
  heartbeat(details?: Json): void
}

/** How every step is implemented, in `services/worker` or in a user's own steps file. */
export type StepImplementation<Input, Output> = (input: Input, context: StepContext) => Promise<Output>
