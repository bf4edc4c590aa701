import type { Json } from '@kyros/contract/json'
import type { Client } from '@temporalio/client'
import type { PayloadCodec } from '@temporalio/common'
import { deploymentName } from './builds.ts'
import { isServed, readPollers } from './pollers.ts'
import { msOf, type TemporalHistoryEvent } from './read-history.ts'
import { pairsOf, type RunSearch } from './search-attributes.ts'
import type { StartedWith } from './start-facts.ts'
import { temporalProblem } from './temporal-problem.ts'
import { traced } from './trace-headers.ts'

export type ClusterOptions = {
  /** The client, once it is connected. @throws temporal_unavailable */
  client: () => Promise<Client>
  namespace: string
  taskQueue: string
  codecs?: readonly PayloadCodec[]
}

export type NewExecution = {
  runId: string
  workflow: string
  input: Json
  started: StartedWith
  timeoutSeconds: number
  buildId: string
  priority: number
  /** The trace of the request that asked for it. */
  traceparent?: string | undefined
  /** What the cluster shows of it in the clear. */
  search?: RunSearch | undefined
}

export type HistoryPage = { events: TemporalHistoryEvent[]; nextPageToken: Uint8Array | undefined }

/** `times`: how often a worker took it, this time included, without ending it. */
export type PendingTurn = { isTaken: boolean; sinceMs: number; times: number }

const callMs = 10_000
const identity = 'kyros'
/** Stands where a cluster keeps a reason in the clear. */
const askedHere = 'Asked for in Kyros.'
/** The cluster lets go of a reader that waits after about 20 seconds. */
const longPollMs = 45_000
const maxPage = 1000

/** What is asked of a cluster, with a time-out each. @throws temporal_unavailable and what else `temporalProblem` tells apart */
export class Cluster {
  readonly #options: ClusterOptions

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  /** The same run id again is the same execution. */
  async start(run: NewExecution): Promise<void> {
    const { runId, workflow, input, started, timeoutSeconds, buildId, priority, search, traceparent } = run
    try {
      const call = (client: Client) =>
        client.workflow.start(workflow, {
          workflowId: runId,
          taskQueue: this.#options.taskQueue,
          args: [input, started],
          workflowExecutionTimeout: timeoutSeconds * 1000,
          // The same run id never runs twice, however often the outbox is read.
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          versioningOverride: { pinnedTo: { deploymentName, buildId } },
          priority: { priorityKey: priority },
          ...(search === undefined ? {} : { typedSearchAttributes: pairsOf(search) }),
        })
      await this.#call((client) => traced(traceparent, () => call(client)))
    } catch (error) {
      if (!isNamed(error, 'WorkflowExecutionAlreadyStartedError')) throw error
    }
  }

  /** With the same `requestId` it is taken once. False: the run has ended there. */
  async signal(runId: string, signal: string, args: readonly unknown[], requestId: string): Promise<boolean> {
    return this.#unlessGone(async (client) => {
      const { namespace } = this.#options
      await client.workflowService.signalWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: runId },
        signalName: signal,
        input: { payloads: await this.#encode(args) },
        identity,
        requestId,
      })
    })
  }

  /** Who asks for it and why, a signal says before: what a cancellation says itself is not encrypted. */
  async cancel(runId: string, requestId: string): Promise<boolean> {
    return this.#unlessGone(async (client) => {
      await client.workflowService.requestCancelWorkflowExecution({
        namespace: this.#options.namespace,
        workflowExecution: { workflowId: runId },
        identity,
        reason: askedHere,
        requestId,
      })
    })
  }

  /** Ends the run without its definition. */
  async terminate(runId: string, reason: string): Promise<boolean> {
    return this.#unlessGone(async (client) => {
      await client.workflowService.terminateWorkflowExecution({
        namespace: this.#options.namespace,
        workflowExecution: { workflowId: runId },
        identity,
        reason: askedHere,
        details: { payloads: await this.#encode([reason]) },
      })
    })
  }

  query(runId: string, name: string, payload: Json, timeoutMs: number): Promise<Json> {
    return this.#call(
      (client) => client.workflow.getHandle(runId).query<Json, [Json]>(name, payload),
      timeoutMs,
    )
  }

  update(
    runId: string,
    name: string,
    args: [Json, object],
    updateId: string,
    timeoutMs: number,
  ): Promise<Json> {
    return this.#call(
      (client) =>
        client.workflow.getHandle(runId).executeUpdate<Json, [Json, object]>(name, { args, updateId }),
      timeoutMs,
    )
  }

  /** The turn of the run that a worker is to take, or has taken; undefined while the run waits for something. */
  async turn(runId: string, timeoutMs: number): Promise<PendingTurn | undefined> {
    const { pendingWorkflowTask: task } = await this.#call(
      (client) =>
        client.workflowService.describeWorkflowExecution({
          namespace: this.#options.namespace,
          execution: { workflowId: runId },
        }),
      timeoutMs,
    )
    if (!task) return undefined
    // Of temporal.api.enums.v1.PendingWorkflowTaskState.
    const isTaken = task.state === 2
    return {
      isTaken,
      sinceMs: msOf(isTaken ? task.startedTime : task.scheduledTime),
      times: task.attempt ?? 1,
    }
  }

  /** Returns once it is accepted or refused, or the run has ended. The same `updateId` is taken once. */
  async beginUpdate(runId: string, name: string, args: [Json, object], updateId: string): Promise<boolean> {
    const options = { args, updateId, waitForStage: 'ACCEPTED' } as const
    try {
      return await this.#unlessGone((client) =>
        client.workflow.getHandle(runId).startUpdate<Json, [Json, object]>(name, options),
      )
    } catch (error) {
      if (!isNamed(error, 'WorkflowUpdateFailedError')) throw error
      return true
    }
  }

  /** Moves a run to another build, which must replay it. */
  async moveTo(runId: string, buildId: string): Promise<void> {
    // Of temporal.api.workflow.v1: PINNED_OVERRIDE_BEHAVIOR_PINNED.
    const pinned = { behavior: 1, version: { deploymentName, buildId } }
    await this.#call((client) =>
      client.workflowService.updateWorkflowExecutionOptions({
        namespace: this.#options.namespace,
        workflowExecution: { workflowId: runId },
        workflowExecutionOptions: { versioningOverride: { pinned } },
        updateMask: { paths: ['versioning_override'] },
      }),
    )
  }

  /** Events from a page on; with `wait`, not before there are some, or about 20 seconds. Undefined: unknown there. */
  async history(
    execution: { workflowId: string; runId?: string },
    nextPageToken: Uint8Array | undefined,
    wait: boolean,
    signal?: AbortSignal,
  ): Promise<HistoryPage | undefined> {
    try {
      const answer = await this.#call(
        (client) => {
          const read = () =>
            client.workflowService.getWorkflowExecutionHistory({
              namespace: this.#options.namespace,
              execution,
              waitNewEvent: wait,
              maximumPageSize: maxPage,
              ...(nextPageToken === undefined ? {} : { nextPageToken }),
            })
          return signal === undefined ? read() : abortable(client, signal, read)
        },
        wait ? longPollMs : callMs,
      )
      const token = answer.nextPageToken
      return { events: answer.history?.events ?? [], nextPageToken: token?.length ? token : undefined }
    } catch (error) {
      if (isGone(error)) return undefined
      throw error
    }
  }

  /** The build that the run is on, where no worker serves it now; undefined also when that cannot be asked. */
  async unservedBuild(runId: string, timeoutMs: number): Promise<string | undefined> {
    const { namespace, taskQueue } = this.#options
    const ask = async ({ workflowService }: Client) => {
      const found = await workflowService.describeWorkflowExecution({
        namespace,
        execution: { workflowId: runId },
      })
      const { versioningOverride, deploymentVersion } = found.workflowExecutionInfo?.versioningInfo ?? {}
      const { buildId } = versioningOverride?.pinned?.version ?? deploymentVersion ?? {}
      if (!buildId) return undefined
      const pollers = await readPollers({ workflowService, namespace, taskQueue })
      return isServed(buildId, pollers, Date.now()) ? undefined : buildId
    }
    return this.#call(ask, timeoutMs).catch(() => undefined)
  }

  /** Whether it was ever started there, as far as the cluster remembers. */
  async knows(runId: string): Promise<boolean> {
    return (await this.history({ workflowId: runId }, undefined, false)) !== undefined
  }

  async #unlessGone(act: (client: Client) => Promise<unknown>): Promise<boolean> {
    try {
      await this.#call(act)
      return true
    } catch (error) {
      if (isGone(error)) return false
      throw error
    }
  }

  async #call<T>(act: (client: Client) => Promise<T>, timeoutMs = callMs): Promise<T> {
    const client = await this.#options.client()
    try {
      return await client.connection.withDeadline(Date.now() + timeoutMs, () => act(client))
    } catch (error) {
      throw temporalProblem(error) ?? error
    }
  }

  async #encode(values: readonly unknown[]) {
    const encoding = Buffer.from('json/plain')
    let payloads = values.map((value) => ({
      metadata: { encoding },
      data: Buffer.from(JSON.stringify(value ?? null)),
    }))
    for (const codec of this.#options.codecs ?? []) {
      // Border cast: codecs take and give payloads of the same shape.
      payloads = (await codec.encode(payloads)) as typeof payloads
    }
    return payloads
  }
}

/** The SDK never takes its listener off a signal, and this one lives as long as the lease. */
async function abortable<T>(client: Client, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  // A listener would never hear of it.
  signal.throwIfAborted()
  const own = new AbortController()
  const abort = () => own.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await client.connection.withAbortSignal(own.signal, call)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** The run is unknown there, or has ended. */
function isGone(error: unknown): boolean {
  return (
    isNamed(error, 'WorkflowNotFoundError') ||
    (typeof error === 'object' && error !== null && 'code' in error && error.code === 5)
  )
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}
