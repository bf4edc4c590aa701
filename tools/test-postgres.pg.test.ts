import { connect } from 'node:net'
import { expect, inject, test } from 'vitest'
import { startPostgres } from './test-postgres.ts'

/** PostgreSQL answers an SSL request with one letter; nothing else on a port does. */
async function speaksPostgres(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])),
    )
    socket.setTimeout(5000, () => socket.destroy())
    socket.once('data', (data) => {
      resolve(data.toString() === 'N' || data.toString() === 'S')
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

test('integration tests get the address of a running PostgreSQL', async () => {
  expect(await speaksPostgres(inject('testDatabaseUrl'))).toBe(true)
})

test('a stopped server answers no more', async () => {
  const { url, stop } = await startPostgres()
  expect(await speaksPostgres(url)).toBe(true)
  await stop()
  expect(await speaksPostgres(url)).toBe(false)
})
