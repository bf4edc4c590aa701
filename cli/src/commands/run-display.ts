import type { RunEvent } from '@kyros/contract/event'
import type { Run, Step } from '@kyros/contract/run'
import { createLiveBlock } from '../command-line/live-block.ts'
import { printable, type Terminal } from '../command-line/terminal.ts'
import { duration, statusText } from './format.ts'

/** Shows how a run moves: live for a person, one line per fact in a pipe, events as JSON for a program. */
export type RunDisplay = {
  show(run: Run): void
  event(run: Run, event: RunEvent): void
  note(line: string): void
  end(run: Run): void
}

const frameMs = 100
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

export function createRunDisplay(terminal: Terminal, wantsJson = false): RunDisplay {
  if (wantsJson) return jsonDisplay(terminal)
  return terminal.isInteractive ? liveDisplay(terminal) : plainDisplay(terminal)
}

function jsonDisplay(terminal: Terminal): RunDisplay {
  return {
    show: () => undefined,
    event: (_run, event) => terminal.json(event),
    note: (line) => terminal.note(line),
    end: () => undefined,
  }
}

function plainDisplay(terminal: Terminal): RunDisplay {
  return {
    show: (run) => terminal.out(`run ${run.id} ${statusText(run.status, run.reason)}`),
    event: (run, event) => {
      const line = eventLine(run, event)
      if (line !== undefined) terminal.out(line)
    },
    note: (line) => terminal.note(line),
    end: () => undefined,
  }
}

function eventLine(run: Run, event: RunEvent): string | undefined {
  switch (event.type) {
    case 'run.waiting':
      return `run waits: ${event.data.reason}${event.data.detail === undefined ? '' : ` (${printable(event.data.detail)})`}`
    case 'step.started':
      return `${event.data.key} started${event.data.attempt > 1 ? `, attempt ${event.data.attempt}` : ''}`
    case 'step.completed':
      return `${event.data.key} completed in ${timeOf(stepOf(run, event.data.key))}`
    case 'step.failed':
      return `${event.data.key} failed: ${printable(event.data.error.message)}`
    case 'run.completed':
    case 'run.failed':
    case 'run.cancelled':
    case 'run.timed_out':
      return `run ${statusText(run.status, run.reason)}`
    default:
      return undefined
  }
}

function liveDisplay(terminal: Terminal): RunDisplay {
  const block = createLiveBlock(terminal)
  let current: Run | undefined
  let frame = 0
  const draw = () => {
    if (current !== undefined) block.draw(runLines(terminal, current, frame))
  }
  const timer = setInterval(() => {
    frame++
    draw()
  }, frameMs)
  const update = (run: Run) => {
    current = run
    draw()
  }
  return {
    show: update,
    event: update,
    note: (line) => block.above(line),
    end: (run) => {
      clearInterval(timer)
      update(run)
      block.end()
    },
  }
}

function runLines(terminal: Terminal, run: Run, frame: number): string[] {
  const detail = run.reason_detail === null ? '' : `: ${printable(run.reason_detail)}`
  const head = `${printable(run.name)} ${terminal.paint('dim', statusText(run.status, run.reason) + detail)}`
  return [head, ...run.steps.map((step) => stepLine(terminal, step, frame))]
}

function stepLine(terminal: Terminal, step: Step, frame: number): string {
  const attempts = step.attempts.length > 1 ? `  attempt ${step.attempts.length}` : ''
  const time = step.started_at === null ? '' : timeOf(step)
  const error = step.status === 'completed' ? undefined : step.attempts.at(-1)?.error?.message
  const why = error === undefined ? '' : `  ${printable(error)}`
  const text = `${step.key.padEnd(24)} ${time.padStart(9)}${attempts}${why}`
  switch (step.status) {
    case 'completed':
      return `  ${terminal.paint('green', '✓')} ${text}`
    case 'failed':
      return `  ${terminal.paint('red', '✗')} ${text}`
    case 'cancelled':
      return `  ${terminal.paint('dim', `- ${text}`)}`
    case 'running':
      return `  ${terminal.paint('cyan', frames[frame % frames.length] ?? '')} ${text}`
    case 'pending':
      return `  ${terminal.paint('dim', `○ ${text}`)}`
  }
}

function stepOf(run: Run, key: string): Step | undefined {
  return run.steps.find((step) => step.key === key)
}

function timeOf(step: Step | undefined): string {
  if (step?.started_at === null || step === undefined) return ''
  const endMs = step.completed_at === null ? Date.now() : Date.parse(step.completed_at)
  return duration(endMs - Date.parse(step.started_at))
}
