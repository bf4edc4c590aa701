import { readFileSync, utimesSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' ? String(address?.port) : ''
}

test('--dev restarts the server on a change, serves the console with its data, and takes both with it', {
  timeout: 90_000,
}, async () => {
  const data = temporaryDirectory()
  const consolePort = await freePort()
  const words = ['up', '--dev', '--no-welcome', '--port', await freePort(), '--data', data]
  const dev = spawnKyros(words, { env: { KYROS_CONSOLE_PORT: consolePort } })
  const url = await dev.ready()
  // Vite colours what stands behind the word where CI is set.
  await dev.saw(/Local/)
  const pid = () => JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')).pid
  const before = pid()

  const page = await fetch(`http://127.0.0.1:${consolePort}/`, { headers: { accept: 'text/html' } })
  expect(await page.text()).toContain('/@vite/client')
  const health = await fetch(`http://127.0.0.1:${consolePort}/healthz`)
  expect(await health.json()).toMatchObject({ ok: true })

  const now = new Date()
  utimesSync(join(root, 'cli', 'src', 'config.ts'), now, now)
  await dev.saw(/Kyros is ready on[\s\S]*Kyros is ready on/)
  await expect.poll(pid, { timeout: 10_000 }).not.toBe(before)
  expect((await fetch(`${url}/livez`)).status).toBe(200)

  dev.child.kill('SIGTERM')
  // npm passes on what the whole group was sent.
  await new Promise((resolve) => setTimeout(resolve, 30))
  dev.child.kill('SIGTERM')
  expect(await dev.exited).toBe(0)
  await expect(fetch(`${url}/livez`)).rejects.toThrow()
  await expect(fetch(`http://127.0.0.1:${consolePort}/`)).rejects.toThrow()
})

test('--dev starts nothing where its port is taken: its console would show the data of another server', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const address = other.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  const dev = spawnKyros(['up', '--dev', '--port', port, '--data', temporaryDirectory()])
  expect(await dev.exited).toBe(1)
  expect(dev.errors()).toContain(`Port ${port} on 127.0.0.1: taken by another program.`)
  expect(dev.output()).not.toContain('Open http')
  other.close()
})
