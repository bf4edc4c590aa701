import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WriterThread } from './thread-client.ts'
import { upgradeFile } from './upgrade-file.ts'

const refused = { code: 'store_unavailable' }

test('a writer that cannot open its file says so', async () => {
  const writer = new WriterThread()
  await expect(writer.open('/nowhere/kyros.db', () => expect.unreachable())).rejects.toMatchObject(refused)
  await writer.close()
})

test('a writer that dies answers what it was given with a refusal, and never hangs', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'kyros-thread-'))
  const died: Error[] = []
  upgradeFile(dir)
  const writer = new WriterThread()
  await writer.open(join(dir, 'kyros.db'), (error) => died.push(error))
  writer.check()
  // No command: the thread throws on it and ends.
  await expect(writer.apply([77])).rejects.toMatchObject(refused)
  expect(died).toMatchObject([refused])
  await expect(writer.apply([77])).rejects.toMatchObject(refused)
  expect(() => writer.check()).toThrow('has stopped')
  await writer.close()
  rmSync(dir, { recursive: true })
})
