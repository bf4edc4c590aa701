import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import { expect, test } from 'vitest'
import { createEmbeddedRig } from '../embedded/embedded-rig.ts'
import { readHistory } from '../embedded/history.ts'
import { replayFinished } from './replay-finished.ts'
import { copyRun, ended, plain, record, submit } from './rig.ts'

test('a finished run that its definition does not repeat is found', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps: plain })
  const cacheDir = await mkdtemp(join(tmpdir(), 'kyros-replay-'))
  const runId = await submit(rig, 'sequence', 'in')
  await ended(rig, runId)
  await replayFinished(store, cacheDir)

  const [created] = (await readHistory(store, runId)).events
  if (created === undefined) throw new Error('a run has begun')
  const { timeMs } = created
  const { definition } = await record(rig, runId)
  const skipped = await copyRun(
    rig,
    [
      created,
      { type: 'run.started', timeMs, data: {} },
      { type: 'run.completed', timeMs, data: { result: null } },
    ],
    definition,
  )
  await expect(replayFinished(store, cacheDir)).rejects.toThrow(`sequence ${skipped} (completed)`)
  await expect(rig.stop()).rejects.toThrow('do not replay')
})
