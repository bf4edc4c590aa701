import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWaitpointTokens } from './waitpoint-tokens.ts'

const runId = '01890000-0000-7000-8000-000000000001'
const tokens = createWaitpointTokens(new Uint8Array(32).fill(1))

test('a token says which waitpoint it is of', () => {
  fc.assert(
    fc.property(fc.nat(99_999), fc.nat(99_999), (part, command) => {
      const ref = { runId, part, command }
      expect(tokens.read(tokens.sign(ref))).toEqual(ref)
    }),
  )
})

test('a token of the first part names run and command as they are', () => {
  expect(tokens.sign({ runId, part: 0, command: 3 })).toMatch(new RegExp(`^${runId}\\.3\\.[\\w-]{24}$`))
})

test('a token that was changed, or made with another key, is of no waitpoint', () => {
  const token = tokens.sign({ runId, part: 0, command: 3 })
  const other = createWaitpointTokens(new Uint8Array(32).fill(2))
  expect(other.read(token)).toBeUndefined()
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom('0', '1', 'a', '.', '-', 'Z'), (at, character) => {
      const changed = token.slice(0, at) + character + token.slice(at + 1)
      const read = tokens.read(changed)
      expect(changed === token ? 'same' : read).toBe(changed === token ? 'same' : undefined)
    }),
  )
})
