import { problem } from '@kyros/contract/problem'
import { createBlobMemory } from '@kyros/store/sqlite/blob-files'
import type { Store } from '@kyros/store/store'
import { expect, test } from 'vitest'
import { createPatientBlobs } from './patient-blobs.ts'

function rig(failures: unknown[]) {
  const slept: number[] = []
  let isClosing = false
  const memory = createBlobMemory()
  const failing: Store['blobs'] = {
    get: memory.get,
    put: async (data) => {
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      return memory.put(data)
    },
  }
  const clock = {
    nowMs: () => 0,
    sleep: async (ms: number) => {
      slept.push(ms)
      isClosing = ms >= 400
    },
  }
  const blobs = createPatientBlobs(failing, { clock, log: () => {}, isClosing: () => isClosing })
  return { blobs, slept }
}

const data = new Uint8Array([1, 2, 3])
const full = () => problem('storage_full', { detail: 'Free some space.' })

test('a large value is stored once there is room again', async () => {
  const { blobs, slept } = rig([full(), problem('store_unavailable', { detail: 'It is away.' })])
  const { sha256 } = await blobs.put(data)
  expect(await blobs.get(sha256)).toEqual(data)
  expect(slept).toEqual([50, 100])
})

test('what does not pass, and the end of the engine, end the waiting', async () => {
  await expect(rig([new TypeError('a fault')]).blobs.put(data)).rejects.toThrow('a fault')
  const ending = rig(Array.from({ length: 10 }, full))
  await expect(ending.blobs.put(data)).rejects.toMatchObject({ code: 'storage_full' })
  expect(ending.slept).toEqual([50, 100, 200, 400])
})
