import { createHash } from 'node:crypto'
import { uuidv7 } from '@kyros/contract/uuidv7'
import type { NewRun } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import { toStored } from '../embedded/payload.ts'
import { createdEvent } from '../embedded/submit.ts'
import type { EngineClock } from '../embedded/timers.ts'
import type { NewChild } from './history-facts.ts'

const maxTitleChars = 1_024

export type ChildRowsParts = {
  readonly store: Store
  readonly clock: EngineClock
  /** A run that the cluster began by itself is there from now on. */
  readonly onChild: (runId: string) => void
}

/** Rows of runs that the cluster starts by itself, because another run asked for them. */
export class ChildRows {
  readonly #parts: ChildRowsParts

  constructor(parts: ChildRowsParts) {
    this.#parts = parts
  }

  /** Makes the row of a child and of its job, unless they are there. Durable when this resolves. */
  async add(parent: RunRecord, child: NewChild): Promise<void> {
    const { store, onChild } = this.#parts
    const { runId, meta } = child
    if ((await store.runs.get(runId)) === undefined) await this.#write(parent, child)
    // One that could not be started, as of an unknown workflow, is not followed for long: it ends with its parent.
    if (meta.definition !== '') onChild(runId)
  }

  async #write(parent: RunRecord, child: NewChild): Promise<void> {
    const { store, clock } = this.#parts
    const { runId, workflow, timeoutSeconds, meta, started, traceparent } = child
    const input = await toStored(child.input, 'The input', store.blobs)
    const createdMs = clock.nowMs()
    const common = { createdBy: parent.created_by, createdMs }
    const jobId = jobIdOf(runId)
    const job = {
      ...common,
      ...{ id: jobId, task: null, agentId: null, workflow, input, priority: parent.priority },
      title: `${parent.name}: ${meta.key}`.slice(0, maxTitleChars),
      projectId: parent.project_id,
      metadata: { parent_run_id: parent.id },
    }
    const run: NewRun = {
      ...common,
      ...{
        id: runId,
        jobId,
        workflow,
        version: started.version,
        definition: meta.definition,
        input,
        timeoutSeconds,
      },
      ...{
        attempt: 1,
        maxRetries: parent.max_retries,
        createdByRole: parent.created_by_role,
        engine: 'temporal',
      },
    }
    const link = { run_id: parent.id, command: meta.command, parent_close: meta.parent_close }
    const depth = started.live?.depth
    const events = [
      createdEvent(run, {
        priority: parent.priority,
        traceparent,
        parent: { ...link, ...(depth === undefined ? {} : { depth }) },
      }),
    ]
    // Whoever else reads the same history makes the same row.
    const kept = { principal: 'engine', route: 'child', key: runId, fingerprint: runId }
    const idempotency = { ...kept, status: 201, response: { run_id: runId }, createdMs }
    await store.write({ kind: 'submit_job', job, run, events, idempotency })
  }
}

/** The job of a child follows from its run, so that a second try makes the same. */
function jobIdOf(runId: string): string {
  const timeMs = Number.parseInt(runId.slice(0, 8) + runId.slice(9, 13), 16)
  return uuidv7(timeMs, createHash('sha256').update(`job of ${runId}`).digest().subarray(0, 10))
}
