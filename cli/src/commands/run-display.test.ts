import { stripVTControlCharacters } from 'node:util'
import type { RunEvent } from '@kyros/contract/event'
import type { Run } from '@kyros/contract/run'
import { expect, onTestFinished, test } from 'vitest'
import { createTerminal } from '../command-line/terminal.ts'
import { createRunDisplay } from './run-display.ts'

const startedAt = '2030-01-01T00:00:00.000Z'
const completedAt = '2030-01-01T00:00:02.000Z'
const refused = { attempt: 1, error: { message: 'no \u001b[2J way' } }

const steps = [
  {
    key: 'Fetch',
    status: 'completed',
    started_at: startedAt,
    completed_at: completedAt,
    attempts: [refused, {}],
  },
  { key: 'Look', status: 'failed', started_at: startedAt, completed_at: completedAt, attempts: [refused] },
  { key: 'Tell', status: 'pending', started_at: null, completed_at: null, attempts: [] },
]
const run = { id: 'r1', name: 'Analysis', status: 'running', reason: null, reason_detail: null, steps }

/** Only what a display reads; the rest of a run and of an event says nothing here. */
const asRun = (part: object) => ({ ...run, ...part }) as unknown as Run
const asEvent = (type: string, data: object) => ({ type, data }) as unknown as RunEvent

function displayOn(isTTY: boolean) {
  const texts: string[] = []
  const stream = { isTTY, columns: 100, write: (text: string) => texts.push(text) > 0 }
  const display = createRunDisplay(createTerminal({ stdout: stream, stderr: stream, env: {} }))
  onTestFinished(() => display.end(asRun({})))
  return { display, written: () => texts.join('') }
}

test('in a pipe every fact is a line, and what a step says cannot move the cursor', () => {
  const { display, written } = displayOn(false)
  display.show(asRun({}))
  display.event(asRun({}), asEvent('run.waiting', { reason: 'timer', detail: 'a minute' }))
  display.event(asRun({}), asEvent('step.started', { key: 'Fetch', attempt: 1 }))
  display.event(asRun({}), asEvent('step.started', { key: 'Fetch', attempt: 2 }))
  display.event(asRun({}), asEvent('step.completed', { key: 'Fetch' }))
  display.event(asRun({}), asEvent('step.failed', { key: 'Look', error: refused.error }))
  display.event(asRun({}), asEvent('run.created', {}))
  display.event(asRun({ status: 'failed' }), asEvent('run.failed', {}))
  expect(written().split('\n')).toEqual([
    'run r1 running',
    'run waits: timer (a minute)',
    'Fetch started',
    'Fetch started, attempt 2',
    expect.stringMatching(/^Fetch completed in 2(\.0+)? ?s$/),
    'Look failed: no ?[2J way',
    'run failed',
    '',
  ])
})

test('on a terminal the last drawing shows each step with its sign, its tries and why it failed', () => {
  const { display, written } = displayOn(true)
  display.show(asRun({ steps: [] }))
  display.note('said above')
  display.end(asRun({ status: 'failed' }))
  const last = stripVTControlCharacters(written()).trimEnd().split('\n').slice(-4)
  expect(last).toEqual([
    'Analysis failed',
    expect.stringMatching(/^ {2}✓ Fetch .* attempt 2$/),
    expect.stringMatching(/^ {2}✗ Look .* no \?\[2J way$/),
    expect.stringMatching(/^ {2}○ Tell\s*$/),
  ])
  expect(written()).toContain('said above\n')
})
