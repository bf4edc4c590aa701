import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { listenOn } from './listen.ts'

test.each([
  ['EACCES', 'port_privileged', /Port 80|port 80.*--port/],
  ['EADDRINUSE', 'port_taken', /Port 80 on 127.0.0.1 is taken.*--port/],
  ['EADDRNOTAVAIL', 'address_unavailable', /127.0.0.1.*--host/],
  ['EMFILE', 'listen_failed', /EMFILE/],
])('%s is explained', async (code, startCode, message) => {
  // The system is played here: whether port 80 may be had depends on who runs the tests.
  const server = createServer()
  server.listen = () => {
    queueMicrotask(() => server.emit('error', Object.assign(new Error('failed'), { code })))
    return server
  }
  const failure = listenOn(server, { host: '127.0.0.1', port: 80 })
  await expect(failure).rejects.toMatchObject({ name: 'StartError', code: startCode })
  await expect(failure).rejects.toThrow(message)
})
