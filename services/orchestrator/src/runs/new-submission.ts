import type { JobSubmit } from '@kyros/contract/job'
import type { Json, JsonObject } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { Principal, Submission } from '@kyros/engine/engine'
import type { ApiContext } from '../context.ts'
import { fieldProblem, plainText } from '../http/plain-text.ts'

const maxTitleLength = 255
const defaultMaxRetries = 3
const defaultTimeoutSeconds = 3600

type RunLimits = { maxRetries?: number; timeoutSeconds?: number }

/**
 * What the engine commits for a job: defaults filled in, ids and times made here. `limits` count before those in
 * `config`. @throws job_empty, request_invalid, project_not_found
 */
export async function newSubmission(
  context: ApiContext,
  body: JobSubmit,
  caller: Principal,
  limits: RunLimits = {},
): Promise<Submission> {
  const workflow = body.workflow ?? null
  const task = body.task === undefined ? null : plainText('/task', body.task)
  const runAtMs = body.run_at === undefined ? undefined : timeMs('/run_at', body.run_at)
  const { project_id = context.defaultProjectId } = body
  const isDefault = project_id === context.defaultProjectId
  const metadata = { ...body.metadata, ...(body.config && { config: body.config }) }
  return {
    jobId: context.newId(),
    runId: context.newId(),
    title: titleOf(context, body, task),
    task,
    agentId: body.agent_id === undefined ? null : plainText('/agent_id', body.agent_id),
    workflow,
    // Parsed from JSON; a workflow without an input gets an empty one, whose schema then says what is missing.
    input: (body.input ?? (workflow === null ? null : {})) as Json,
    priority: body.priority ?? 'medium',
    // No await for the usual case: this is the hot path.
    projectId: isDefault ? project_id : await checkedProject(context, project_id),
    // Parsed from JSON too.
    metadata: metadata as JsonObject,
    maxRetries: limits.maxRetries ?? limit(body.config, 'max_retries', 0, 100) ?? defaultMaxRetries,
    timeoutSeconds:
      limits.timeoutSeconds ?? limit(body.config, 'timeout_seconds', 1, 31_536_000) ?? defaultTimeoutSeconds,
    principal: { id: caller.id, role: caller.role },
    timeMs: context.clock.nowMs(),
    ...(runAtMs !== undefined && { runAtMs }),
  }
}

/** The title given, or the first line of the task, or what the workflow is called. */
function titleOf(context: ApiContext, body: JobSubmit, task: string | null): string {
  if (body.title !== undefined) return checkTitle('/title', body.title)
  const line = task?.trim().split('\n', 1)[0]?.trim()
  if (line) return cut(line)
  if (body.workflow === undefined) {
    throw problem('job_empty', {
      detail: 'Say what is to be done: send at least one of `title`, `task` and `workflow`.',
    })
  }
  const known = context.engine.workflows().find(({ name }) => name === body.workflow)
  return cut(known?.title ?? body.workflow)
}

/** Trims a title and refuses one that is then empty or too long. @throws request_invalid */
function checkTitle(path: string, title: string): string {
  const trimmed = plainText(path, title).trim()
  // Characters are code points here, as in the schema.
  const length = trimmed.length <= maxTitleLength ? trimmed.length : [...trimmed].length
  if (length < 1 || length > maxTitleLength) {
    throw fieldProblem(path, `must have 1 to ${maxTitleLength} characters after trimming`)
  }
  return trimmed
}

function cut(text: string): string {
  if (text.length <= maxTitleLength) return text
  const characters = [...text]
  return characters.length <= maxTitleLength ? text : `${characters.slice(0, maxTitleLength - 1).join('')}…`
}

async function checkedProject(context: ApiContext, id: string): Promise<string> {
  if ((await context.store.projects.get(id)) !== undefined) return id
  throw problem('project_not_found', {
    detail: `There is no project ${id}. GET /api/v1/projects lists them; without project_id the project "default" is used.`,
  })
}

function timeMs(path: string, text: string): number {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw fieldProblem(path, 'must be an RFC 3339 time, for example 2026-01-31T08:00:00Z')
  return ms
}

function limit(
  config: JobSubmit['config'],
  name: string,
  minimum: number,
  maximum: number,
): number | undefined {
  const value = config?.[name]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum)
    return value
  throw fieldProblem(`/config/${name}`, `must be an integer from ${minimum} to ${maximum}`)
}
