import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWaitpointTokens } from './waitpoint-tokens.ts'

const runId = '01890000-0000-7000-8000-000000000001'
const keyOf = (id: string, byte: number) => ({ id, key: new Uint8Array(32).fill(byte) })
const [first, second] = [keyOf('key-one_', 1), keyOf('key-two_', 2)]
const tokens = createWaitpointTokens([first])

test('a token says which waitpoint it is of', () => {
  fc.assert(
    fc.property(fc.nat(99_999), fc.nat(99_999), (part, command) => {
      const ref = { runId, part, command }
      expect(tokens.read(tokens.sign(ref))).toEqual(ref)
    }),
  )
})

test('a token of the first part names key, run and command as they are', () => {
  expect(tokens.sign({ runId, part: 0, command: 3 })).toMatch(
    new RegExp(`^key-one_\\.${runId}\\.3\\.[\\w-]{24}$`),
  )
})

test('a token that was changed, or made with another key, is of no waitpoint', () => {
  const token = tokens.sign({ runId, part: 0, command: 3 })
  const other = createWaitpointTokens([second])
  expect(other.read(token)).toBeUndefined()
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom('0', '1', 'a', '.', '-', 'Z'), (at, character) => {
      const changed = token.slice(0, at) + character + token.slice(at + 1)
      const read = tokens.read(changed)
      expect(changed === token ? 'same' : read).toBe(changed === token ? 'same' : undefined)
    }),
  )
})

test('a token holds as long as its key is among those that are given', () => {
  const ref = { runId, part: 0, command: 3 }
  const token = tokens.sign(ref)
  const rotated = createWaitpointTokens([second, first])
  expect(rotated.read(token)).toEqual(ref)
  expect(rotated.sign(ref)).toMatch(/^key-two_\./)
  expect(rotated.read(token.replace('key-one_', 'key-two_'))).toBeUndefined()
  expect(rotated.read(token.replace('key-one_', 'key-far_'))).toBeUndefined()
})

test('a token from before keys had ids is of any key that fits', () => {
  const ref = { runId, part: 2, command: 3 }
  const older = tokens.sign(ref).replace('key-one_.', '')
  expect(createWaitpointTokens([second, first]).read(older)).toEqual(ref)
  expect(createWaitpointTokens([second]).read(older)).toBeUndefined()
})
