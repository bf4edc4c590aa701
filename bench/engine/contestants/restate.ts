import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { createServer } from 'node:http2'
import { createEndpointHandler, service } from '@restatedev/restate-sdk'
import { freePort } from '../../src/kyros-process.ts'
import type { Contestant, Loop } from '../answers.ts'
import { closedLoop } from '../closed-loop.ts'

const registerTimeoutMs = 30_000

/**
 * The service that Restate's server calls (HTTP/2, so that one stream carries a whole invocation), and the load
 * generator, in one process; the server is a process of its own.
 */
export async function open(options: { adminUrl: string; ingressUrl: string }): Promise<Contestant> {
  let handled = 0
  const addOne = async (input: number) => input + 1
  const bench = service({
    name: 'bench',
    handlers: {
      threeSteps: async (context, input: number) => {
        const first = await context.run('first', () => addOne(input))
        const second = await context.run('second', () => addOne(first))
        const third = await context.run('third', () => addOne(second))
        handled++
        return third
      },
    },
  })
  const server = createServer(createEndpointHandler({ services: [bench] }))
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  await register(options.adminUrl, `http://127.0.0.1:${port}`)
  const agent = new Agent({ keepAlive: true })
  const url = `${options.ingressUrl}/bench/threeSteps`
  return {
    methods: {
      saturate: (loop: Loop) => closedLoop(() => call(url, agent), loop),
      handled: async () => handled,
    },
    close: async () => {
      agent.destroy()
      server.close()
    },
  }
}

async function register(adminUrl: string, uri: string): Promise<void> {
  const untilMs = Date.now() + registerTimeoutMs
  while (true) {
    const answer = await fetch(`${adminUrl}/deployments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ uri }),
    }).catch((error: unknown) => error)
    if (answer instanceof Response && answer.ok) return
    if (Date.now() > untilMs) throw new Error('Restate did not accept the service in time', { cause: answer })
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Node's own client: it costs less processor time than `fetch`, which is Restate's to use on this machine. */
function call(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } })
    sent.on('response', (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => {
        if (response.statusCode === 200 && text === '4') resolve()
        else reject(new Error(`Restate answered ${response.statusCode} ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end('1')
  })
}
