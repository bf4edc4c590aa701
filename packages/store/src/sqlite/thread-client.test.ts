import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startWriterThread } from './thread-client.ts'

test('a writer that cannot open its file refuses to start and says so', async () => {
  const died: Error[] = []
  await expect(startWriterThread('/nowhere/kyros.db', (error) => died.push(error))).rejects.toMatchObject({
    code: 'store_unavailable',
  })
  expect(died).toHaveLength(1)
})

test('a writer that dies answers what it was given with a refusal, and never hangs', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kyros-thread-'))
  const died: Error[] = []
  const writer = await startWriterThread(join(dir, 'kyros.db'), (error) => died.push(error))
  writer.check()
  // No JSON: the thread throws on it and ends.
  const refused = { code: 'store_unavailable' }
  await expect(writer.apply(['{'])).rejects.toMatchObject(refused)
  expect(died).toMatchObject([refused])
  await expect(writer.apply(['{}'])).rejects.toMatchObject(refused)
  expect(() => writer.check()).toThrow('has stopped')
  await writer.close()
  rmSync(dir, { recursive: true })
})
