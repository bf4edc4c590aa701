import { createServer } from 'node:net'

/** Why nothing can listen there, or undefined: then the port was free a moment ago. */
export function listenFault(host: string, port: number): Promise<string | undefined> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EADDRINUSE' ? 'taken by another program' : (error.code ?? error.message))
    })
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
