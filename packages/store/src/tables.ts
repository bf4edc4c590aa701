import type { Generated } from 'kysely'

type EventsTable = {
  seq: number
  count: number
  run: number | null
  run_seq: number | null
  prev: number | null
  type: string | null
  subject: string | null
  job: string | null
  actor: string | null
  time_ms: number
  data: string
}

type ProjectsTable = {
  id: string
  name: string
  description: string
  type: string
  status: string
  created_ms: number
}

type JobsTable = {
  id: string
  run_ref: number
  title: string
  task: string | null
  agent_id: string | null
  workflow: string | null
  priority: string
  project_id: string
  created_by: string
  created_ms: number
  input: string
  metadata: string
}

type RunsTable = {
  ref: number
  id: string
  job_id: string
  latest: number
  workflow: string
  version: string
  definition: string
  attempt: number
  max_retries: number
  timeout_seconds: number
  input: string | null
  created_by: string
  created_by_role: string
  created_ms: number
  status: string
  reason: string | null
  reason_detail: string | null
  waiting_until: string | null
  cancel_requested: number
  started_ms: number | null
  completed_ms: number | null
  updated_ms: number | null
  last_seq: number
  run_seq: number
  steps_total: number
  steps_completed: number
  error: string | null
  late: string | null
  result: string | null
  engine: string
}

type DeletedRunsTable = { ref: number; id: string; job_id: string; last_seq: number }
type RunCountsTable = { status: string; runs: number; jobs: number }

type LogsTable = {
  run: number
  line: number
  time_ms: number
  level: string
  step: string | null
  attempt: number | null
  message: string
}

type StreamsTable = { run: number; name: string; chunks: number; bytes: number }

type StreamChunksTable = {
  run: number
  name: string
  first: number
  count: number
  time_ms: number
  step: string
  attempt: number
  data: string
}

type ArtifactsTable = {
  run: number
  name: string
  media_type: string
  sha256: string
  bytes: number
  created_ms: number
}

type DefinitionsTable = { hash: string; name: string; version: string; source: string; created_ms: number }

type UsersTable = {
  id: string
  email: string
  password_hash: string
  role: string
  active: number
  created_ms: number
}

type SessionsTable = {
  id: string
  user_id: string
  client: string
  address: string
  created_ms: number
  last_used_ms: number
  expires_ms: number
  revoked_ms: number | null
}

type ApiKeysTable = {
  id: string
  user_id: string
  name: string
  prefix: string
  hash: string
  role: string
  created_ms: number
  expires_ms: number | null
  last_used_ms: number | null
  revoked_ms: number | null
}

type ViewsTable = {
  id: string
  user_id: string
  list: string
  name: string
  query: string
  created_ms: number
}

type InboxTable = { id: Generated<number>; message: string; created_ms: number; engine: string }
type SettingsTable = { key: string; value: string }

/** What the reads know of the tables; migrations/ makes them. */
export type Tables = {
  events: EventsTable
  projects: ProjectsTable
  jobs: JobsTable
  runs: RunsTable
  deleted_runs: DeletedRunsTable
  run_counts: RunCountsTable
  logs: LogsTable
  streams: StreamsTable
  stream_chunks: StreamChunksTable
  artifacts: ArtifactsTable
  definitions: DefinitionsTable
  users: UsersTable
  sessions: SessionsTable
  api_keys: ApiKeysTable
  views: ViewsTable
  inbox: InboxTable
  settings: SettingsTable
}
