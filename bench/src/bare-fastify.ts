import Fastify from 'fastify'

/** The peer of the API benchmark: one validated JSON route that keeps nothing. Prints its address. */
const app = Fastify()
const body = {
  type: 'object',
  required: ['title'],
  properties: { title: { type: 'string', maxLength: 255 } },
}

app.post<{ Body: { title: string } }>('/jobs', { schema: { body } }, async (request, reply) => {
  reply.code(201)
  return { id: '1', title: request.body.title, status: 'pending' }
})

const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${address}\n`)
