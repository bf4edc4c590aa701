import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { apiOf, type Entrance, type Replica } from './replica.ts'

const connectMs = 2_000

/**
 * What stands before several replicas: each connection goes to the next one that takes it, and ends with its replica.
 * It knows nothing of what is said, so a request that was cut off is its client's to repeat.
 */
export class Balancer implements Entrance {
  readonly isUp = true
  readonly origin: string
  /** How many connections each replica took. */
  readonly taken: number[]
  readonly #server: Server
  readonly #replicas: readonly Replica[]
  readonly #sockets = new Set<Socket>()
  #turn = 0

  private constructor(server: Server, origin: string, replicas: readonly Replica[]) {
    this.#server = server
    this.origin = origin
    this.#replicas = replicas
    this.taken = replicas.map(() => 0)
    server.on('connection', (client: Socket) => void this.#serve(client))
  }

  /** On a free port of loopback, until `close`. */
  static async open(replicas: readonly Replica[]): Promise<Balancer> {
    const server = createServer({ noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('The balancer has no port')
    return new Balancer(server, `http://127.0.0.1:${address.port}`, replicas)
  }

  api(token: string | undefined) {
    return apiOf(this.origin, token)
  }

  wasPausedWithin(): boolean {
    return false
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #serve(client: Socket): Promise<void> {
    this.#keep(client)
    // One that was just killed refuses at once, so a second turn finds whoever is there.
    for (let tries = 0; tries < 2 * this.#replicas.length && !client.destroyed; tries++) {
      const index = this.#turn++ % this.#replicas.length
      const port = Number(new URL(this.#replicas[index]?.origin ?? '').port)
      const server = await reach(port)
      if (server === undefined) continue
      this.taken[index] = (this.taken[index] ?? 0) + 1
      this.#keep(server)
      client.once('close', () => server.destroy())
      server.once('close', () => client.destroy())
      client.pipe(server)
      server.pipe(client)
      if (client.destroyed) server.destroy()
      return
    }
    client.destroy()
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    // Both sides end together, and what is told of it by an error is told by `close` too.
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket))
  }
}

/** A connection to loopback, or undefined when nobody takes it. */
async function reach(port: number): Promise<Socket | undefined> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectMs) })
    return socket
  } catch {
    socket.destroy()
    return undefined
  }
}
