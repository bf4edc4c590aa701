import type { RunEvent } from '@kyros/contract/event'
import { runEventTypes } from '@kyros/contract/event'
import { emptyRunState, foldIntoState } from '@kyros/contract/run-state'
import { expect, test } from 'vitest'
import { codeOf, factsOf, isPlain, typeOf } from './facts.ts'
import { foldFacts, newEntry } from './run-entry.ts'

test('what is folded without being parsed does not depend on its data', () => {
  const unread = new Proxy(
    {},
    {
      get(_target, name) {
        throw new Error(`The fold reads ${String(name)}`)
      },
    },
  )
  const plain = runEventTypes.filter((type) => isPlain[codeOf(type)])
  expect(plain).toContain('step.completed')
  for (const type of plain) {
    const fact = { type, seq: 1, run_seq: 1, run_id: 'r', time: '2026-01-01T00:00:00.000Z', data: unread }
    // Any data: that none of it is read is what is tested.
    expect(() => foldIntoState({ ...emptyRunState }, fact as unknown as RunEvent)).not.toThrow()
  }
})

test('a packed row folds to the state that its facts make one by one', () => {
  const entry = newEntry('r', 'j', 0)
  const facts = [
    ['run.created', 5, { workflow: 'w' }],
    ['run.started', 6, {}],
    ['run.continued', 7, { input: 1, definition: 'e', version: '2', carried: [] }],
    ['attributes.set', 7, { command: 1, attributes: { place: 'here' } }],
    ['run.completed', 8, { result: [1] }],
  ]
  foldFacts(entry, factsOf(JSON.stringify(facts)), 10)
  expect(entry).toMatchObject({
    result: '[1]',
    updatedMs: 8,
    state: {
      ...{ status: 'completed', run_seq: 5, last_seq: 14, continued: 1, attributes: { place: 'here' } },
      ...{ definition: 'e', version: '2', started_at: '1970-01-01T00:00:00.006Z' },
    },
  })
  expect(entry.state.result).toBeUndefined()
})

test('a type that no run has is refused', () => {
  expect(() => codeOf('deploy.done')).toThrow('no event of a run')
  expect(() => typeOf(runEventTypes.length + 5)).toThrow('no type')
})
