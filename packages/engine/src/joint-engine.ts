import type { Store } from '@kyros/store/store'
import type { Engine } from './engine.ts'

export type JointEngineOptions = {
  /** Moves the runs that began on it to their ends, and gets no new ones. */
  embedded: Engine
  /** Gets every new run. Both engines must have the same LeaseHolder. */
  temporal: Engine
  store: Pick<Store, 'runs'>
}

/**
 * Both engines of a process behind one port: new runs, retries and forks begin on Temporal, everything else goes to the engine
 * of the run. Limits of runs at once count per engine.
 */
export function createJointEngine({ embedded, temporal, store }: JointEngineOptions): Engine {
  const engineOf = async (runId: string): Promise<Engine> => {
    const record = await store.runs.get(runId)
    return record?.engine === 'temporal' ? temporal : embedded
  }
  /** The forms of their tokens are the same: only the run tells whose it is. */
  const engineOfToken = async (token: string): Promise<Engine> => {
    const runId = runOfWaitpoint(token)
    return runId === undefined ? embedded : engineOf(runId)
  }
  const runOfWaitpoint: Engine['runOfWaitpoint'] = (token) =>
    embedded.runOfWaitpoint(token) ?? temporal.runOfWaitpoint(token)
  return {
    kind: 'temporal',
    workflows: () => temporal.workflows(),
    definitions: () => temporal.definitions(),
    submit: (submission) => temporal.submit(submission),
    retry: (jobId, next) => temporal.retry(jobId, next),
    cancel: async (runId, reason, principal) => (await engineOf(runId)).cancel(runId, reason, principal),
    signal: async (runId, name, payload, principal, signalId) =>
      (await engineOf(runId)).signal(runId, name, payload, principal, signalId),
    why: async (runId) => (await engineOf(runId)).why(runId),
    pause: async (runId, principal) => (await engineOf(runId)).pause(runId, principal),
    resume: async (runId, principal) => (await engineOf(runId)).resume(runId, principal),
    // A fork is a new run, whoever has the one that it is made of.
    fork: (runId, from) => temporal.fork(runId, from),
    upgrade: async (runId, to) => (await engineOf(runId)).upgrade(runId, to),
    setBudget: async (runId, limits, principal) =>
      (await engineOf(runId)).setBudget(runId, limits, principal),
    reportUsage: async (runId, used) => (await engineOf(runId)).reportUsage(runId, used),
    query: async (runId, name, payload) => (await engineOf(runId)).query(runId, name, payload),
    update: async (runId, name, payload, options) =>
      (await engineOf(runId)).update(runId, name, payload, options),
    completeWaitpoint: async (token, payload, principal) =>
      (await engineOfToken(token)).completeWaitpoint(token, payload, principal),
    answerWaitpoint: async (runId, command, payload, principal) =>
      (await engineOf(runId)).answerWaitpoint(runId, command, payload, principal),
    runOfWaitpoint,
    describeWaitpoint: async (token) => (await engineOfToken(token)).describeWaitpoint(token),
    executions: async (runId, knownBuild) => (await engineOf(runId)).executions(runId, knownBuild),
    async *stream(runId, name, options, signal) {
      yield* (await engineOf(runId)).stream(runId, name, options, signal)
    },
    health: () => jointHealth(embedded.health(), temporal.health()),
    run: async (signal) => {
      await Promise.all([embedded.run(signal), temporal.run(signal)])
    },
    drain: async (graceMs) => {
      await Promise.all([embedded.drain(graceMs), temporal.drain(graceMs)])
    },
  }
}

type EngineHealth = ReturnType<Engine['health']>

const worstFirst = ['unhealthy', 'degraded', 'healthy'] as const

function jointHealth(embedded: EngineHealth, temporal: EngineHealth): EngineHealth {
  const states = [embedded.status, temporal.status]
  const status = worstFirst.find((one) => states.includes(one)) ?? 'healthy'
  return { status, details: { embedded: embedded.details, temporal: temporal.details } }
}
