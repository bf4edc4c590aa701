import type { Store } from '@kyros/store/store'
import type { StepArtifacts, StepContext } from '@kyros/workflows/step-context'
import type { Principal } from '../engine.ts'
import type { RunLog } from './log-buffer.ts'
import type { EngineClock } from './timers.ts'

/** What an attempt gets beside its input. */
export function createStepContext(options: {
  store: Store
  clock: EngineClock
  log: RunLog
  runId: string
  step: string
  key: string
  attempt: number
  principal: Principal
  /** Makes the directory of the run; called when the step first asks for it. */
  openWorkspace: () => string
  signal: AbortSignal
  heartbeat: StepContext['heartbeat']
}): StepContext {
  const { runId, step, key, attempt, principal, clock, log, signal, heartbeat } = options
  return {
    runId,
    step,
    attempt,
    idempotencyKey: `${runId}/${key}`,
    principal,
    signal,
    heartbeat,
    get workspace() {
      return options.openWorkspace()
    },
    artifacts: createArtifacts(options.store, runId, clock),
    log: (level, message) => {
      log.add({ timeMs: clock.nowMs(), level, step: key, attempt, message: String(message) })
    },
  }
}

function createArtifacts(store: Store, runId: string, clock: EngineClock): StepArtifacts {
  return {
    put: async (name, mediaType, data) => {
      const { sha256, bytes } = await store.blobs.put(typeof data === 'string' ? Buffer.from(data) : data)
      const createdMs = clock.nowMs()
      await store.write({ kind: 'put_artifact', runId, name, mediaType, sha256, bytes, createdMs })
      return { name, sha256, bytes }
    },
    get: async (name) => {
      const artifact = await store.artifacts.get(runId, name)
      return artifact === undefined ? undefined : store.blobs.get(artifact.sha256)
    },
  }
}
