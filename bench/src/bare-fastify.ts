import Fastify from 'fastify'

/**
 * The peer of the API benchmark: one validated JSON route that keeps nothing and answers what the real one answers,
 * so that both put the same body on the wire. Prints its address.
 */
const app = Fastify()
const body = {
  type: 'object',
  required: ['title'],
  properties: { title: { type: 'string', maxLength: 255 } },
}
const id = '01890000-0000-7000-8000-000000000000'
const job = {
  id,
  task: null,
  agent_id: null,
  workflow: null,
  priority: 'medium',
  project_id: id,
  created_by: `user:${id}`,
  created_at: '2026-01-01T00:00:00.000Z',
  input: null,
  metadata: {},
  status: 'pending',
  reason: null,
  reason_detail: null,
  run_id: id,
  attempt: 1,
  updated_at: null,
  started_at: null,
  completed_at: null,
  steps_total: 0,
  steps_completed: 0,
  result: null,
  error: null,
}

app.post<{ Body: { title: string } }>('/jobs', { schema: { body } }, async (request, reply) => {
  const { title } = request.body
  reply.code(201)
  return { ...job, title, name: title }
})

const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${address}\n`)
