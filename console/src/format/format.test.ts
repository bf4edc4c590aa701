import { expect, test } from 'vitest'
import { elapsedMs, formatDuration } from './duration.ts'
import { formatBytes, formatShare, formatShort, plural } from './quantity.ts'
import { formatClock, formatMoment, formatRelative } from './relative-time.ts'

test.each([
  [0, '0 ms'],
  [850, '850 ms'],
  [3_240, '3.2 s'],
  [5_000, '5 s'],
  [9_960, '10 s'],
  [59_700, '1 min'],
  [72_000, '1 min 12 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [100_800_000, '1 d 4 h'],
])('%i ms reads as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

test('a run that goes on is as long as it has lasted, one that has not begun has no length', () => {
  const started_at = '2026-01-01T00:00:00.000Z'
  const nowMs = Date.parse(started_at) + 1_500
  expect(elapsedMs({ started_at, completed_at: null }, nowMs)).toBe(1_500)
  expect(elapsedMs({ started_at, completed_at: '2026-01-01T00:00:01.000Z' }, nowMs)).toBe(1_000)
  expect(elapsedMs({ started_at: null, completed_at: null }, nowMs)).toBeUndefined()
})

test.each([
  [2_000, 'just now'],
  [-2_000, 'just now'],
  [12_000, '12 s ago'],
  [-300_000, 'in 5 min'],
  [7_200_000, '2 h ago'],
  [3 * 86_400_000, '3 d ago'],
])('a moment %i ms ago reads as %s', (agoMs, text) => {
  const nowMs = Date.parse('2026-06-01T12:00:00.000Z')
  expect(formatRelative(new Date(nowMs - agoMs).toISOString(), nowMs)).toBe(text)
})

test('a success rate short of everything is never shown as 100 %', () => {
  expect(formatShare(1)).toBe('100 %')
  expect(formatShare(0.99999)).toBe('99.9 %')
  expect(formatShare(0.9231)).toBe('92.3 %')
  expect(formatShare(0)).toBe('0 %')
})

test('quantities carry their unit in at most three digits', () => {
  expect(formatShort(12_345)).toBe('12.3K')
  expect(formatBytes(999)).toBe('999 B')
  expect(formatBytes(1_230_000)).toBe('1.2 MB')
  expect(plural(1, 'run')).toBe('1 run')
  expect(plural(3_000, 'finding')).toBe('3,000 findings')
})

test('a moment of another day has its date', () => {
  const time = '2026-01-31T12:00:00.000Z'
  expect(formatMoment(time, Date.parse(time))).toBe(formatClock(time))
  expect(formatMoment(time, Date.parse(time) + 3 * 86_400_000)).toMatch(/2026.*, \d\d:\d\d:\d\d$/)
})
