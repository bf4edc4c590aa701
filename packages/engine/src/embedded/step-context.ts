import { createHash } from 'node:crypto'
import type { Store } from '@kyros/store/store'
import type { StepArtifacts, StepContext, StepStream } from '@kyros/workflows/step-context'
import type { Principal } from '../engine.ts'
import { textOf } from '../error-text.ts'
import type { Attempt } from './attempt.ts'
import type { EngineParts } from './engine-parts.ts'
import type { RunLog } from './log-buffer.ts'
import { knownLevel } from './log-level.ts'
import { StreamWriter } from './streams.ts'
import type { EngineClock } from './timers.ts'
import { outOfScope } from './workflow-scope.ts'

export type AttemptOf = {
  parts: Pick<EngineParts, 'store' | 'clock' | 'epoch' | 'workspaces'>
  log: RunLog
  runId: string
  principal: Principal
  /** Of the request that asked for the run. */
  traceparent?: string | undefined
  step: string
  key: string
  number: number
}

/** What an attempt gets beside its input. Everything that costs something is made when it is first asked for. */
export class AttemptContext implements StepContext {
  readonly runId: string
  readonly step: string
  readonly attempt: number
  readonly principal: Principal
  readonly #of: AttemptOf
  readonly #live: Attempt
  /** The lease under which the attempt began: what it writes beside the log is refused under another. */
  readonly #epoch: number | undefined
  #stream: StepStream | undefined

  constructor(of: AttemptOf, live: Attempt) {
    this.#of = of
    this.#live = live
    this.#epoch = of.parts.epoch()
    this.runId = of.runId
    this.step = of.step
    this.attempt = of.number
    this.principal = of.principal
  }

  get idempotencyKey(): string {
    return `${this.runId}/${this.#of.key}`
  }

  get traceparent(): string | undefined {
    const { traceparent, key, number, runId } = this.#of
    return traceparent && attemptTrace(traceparent, `${runId}/${key}/${number}`)
  }

  get signal(): AbortSignal {
    return this.#live.signal
  }

  get workspace(): string {
    return outOfScope(() => this.#of.parts.workspaces.open(this.runId))
  }

  get artifacts(): StepArtifacts {
    const { store, clock } = this.#of.parts
    const { put, get } = createArtifacts(store, this.runId, clock, this.#epoch)
    return {
      put: async (...file) => await outOfScope(() => put(...file)),
      get: async (name) => await outOfScope(() => get(name)),
    }
  }

  get stream(): StepStream {
    this.#stream ??= this.#openStream()
    return this.#stream
  }

  // These two are got and then called, often taken out of the context by the implementation.
  get heartbeat(): StepContext['heartbeat'] {
    return (details) => outOfScope(() => this.#live.beat(details))
  }

  get log(): StepContext['log'] {
    const { log, key, number, parts } = this.#of
    return (level, message) => {
      const line = { level: knownLevel(level), step: key, attempt: number, message: textOf(message) }
      outOfScope(() => log.add({ timeMs: parts.clock.nowMs(), ...line }))
    }
  }

  #openStream(): StepStream {
    const { parts, runId, key: step, number: attempt } = this.#of
    const { store, clock } = parts
    const writer = new StreamWriter({ store, clock, runId, step, attempt, epoch: this.#epoch })
    this.#live.flushed = () => writer.flushed()
    // A promise of the step's own: when it forgets to wait for it, what goes wrong is a line in its log.
    return { write: async (name, chunk) => await outOfScope(() => writer.write(name, chunk)) }
  }
}

/** The trace that the request began, with a span that is this attempt's own: the same on whatever engine it is made. */
function attemptTrace(traceparent: string, attempt: string): string {
  const [version, trace, , flags] = traceparent.split('-')
  const span = createHash('sha256').update(attempt).digest('hex').slice(0, 16)
  return [version, trace, span, flags].join('-')
}

function createArtifacts(
  store: Store,
  runId: string,
  clock: EngineClock,
  epoch: number | undefined,
): StepArtifacts {
  const lease = epoch === undefined ? {} : { epoch }
  return {
    put: async (name, mediaType, data) => {
      const { sha256, bytes } = await store.blobs.put(typeof data === 'string' ? Buffer.from(data) : data)
      const createdMs = clock.nowMs()
      const file = { runId, name, mediaType, sha256, bytes, createdMs }
      await store.write({ kind: 'put_artifact', ...file, ...lease })
      return { name, sha256, bytes }
    },
    get: async (name) => {
      const artifact = await store.artifacts.get(runId, name)
      return artifact === undefined ? undefined : store.blobs.get(artifact.sha256)
    },
  }
}
