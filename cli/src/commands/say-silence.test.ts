import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { saySilence } from './say-silence.ts'

const notes: string[] = []
const terminal = { note: (line: string) => void notes.push(line) }
beforeEach(() => {
  notes.length = 0
  vi.useFakeTimers()
})
afterEach(() => void vi.useRealTimers())

test('who waits for something that does not come is told so, once', () => {
  saySilence(terminal, 'Nothing yet.')
  vi.advanceTimersByTime(2_900)
  expect(notes).toEqual([])
  vi.advanceTimersByTime(60_000)
  expect(notes).toEqual(['Nothing yet. Ctrl-C ends the waiting.'])
})

test('nothing is said once something has come', () => {
  saySilence(terminal, 'Nothing yet.')()
  vi.advanceTimersByTime(60_000)
  expect(notes).toEqual([])
})
