import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replayHistory, TestKit } from 'kyros/testing'

const releaseNote = new URL('./release-note.workflow.ts', import.meta.url)
const input = { product: 'Kyros', version: '1.2.0', changes: ['Workflows of your own'] }

test('a note that is approved is published', async () => {
  await using kit = await TestKit.open()
  const run = await kit.start(releaseNote, input)
  assert.equal((await run.record()).reason, 'signal')
  await run.signal('review', 'approved')
  assert.deepEqual(await run.result(), { published: true, file: 'release-note.md' })
})

test('without an answer nothing is published after an hour', async () => {
  await using kit = await TestKit.open()
  const startMs = kit.nowMs()
  const run = await kit.start(releaseNote, input)
  // Waits for nobody: the hour passes in a moment.
  assert.deepEqual(await run.result(), { published: false, why: 'nobody answered within 60 minutes' })
  assert.ok(kit.nowMs() - startMs >= 3_600_000)
})

test('a step that fails at first is tried again', async () => {
  await using kit = await TestKit.open()
  let tries = 0
  const run = await kit.start(releaseNote, input, {
    steps: {
      WriteNote: () => {
        tries += 1
        if (tries < 3) throw new Error('the network is down')
        return { text: 'a note' }
      },
    },
  })
  await kit.advance(60_000)
  await run.signal('review', 'rejected')
  assert.deepEqual(await run.result(), { published: false, why: 'it was rejected' })
  assert.equal(tries, 3)
})

test('runs under way can be moved to the definition as it is now', async () => {
  await using kit = await TestKit.open()
  const run = await kit.start(releaseNote, input)
  await run.signal('review', 'approved')
  await run.result()
  const replayed = await replayHistory(releaseNote, await run.history())
  assert.deepEqual(replayed, { ok: true, outcome: 'completed' })
})
