import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import type { Steps } from '../statement.ts'

/** A project of that name stays as it is: every process makes `default` at its first start. */
export function* createProject(
  { id, name, description, projectType, timeMs, actor }: CommandOf<'create_project'>,
  batch: Batch,
): Steps<Record<string, never>> {
  const [added] = yield {
    sql: `INSERT INTO projects (id, name, description, type, status, created_ms) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (name) DO NOTHING RETURNING id`,
    params: [id, name, description, projectType, 'active', timeMs],
  }
  if (!added) return {}
  batch.emit({ type: 'project.created', subject: `projects/${id}`, actor, timeMs, data: { name } })
  return {}
}
