import type { Run } from '@kyros/contract/run'
import { printable, type Terminal } from '../command-line/terminal.ts'
import { duration, statusText } from './format.ts'

type Fields = Readonly<Record<string, unknown>>

const maxResultLength = 2_000

/** What a run came to, for a person: its status, its scores when it has some, how long it took. */
export function summaryLines(terminal: Terminal, run: Run, callName: string): string[] {
  const time =
    run.started_at !== null && run.completed_at !== null
      ? ` in ${duration(Date.parse(run.completed_at) - Date.parse(run.started_at))}`
      : ''
  const color = run.status === 'completed' ? 'green' : 'red'
  const head = `${terminal.paint(color, statusText(run.status, run.reason))}${time}: ${printable(run.name)}`
  const error = run.error === null ? [] : [`  ${run.error.code}: ${printable(run.error.message)}`]
  return ['', head, ...error, ...resultLines(terminal, run, callName)]
}

function resultLines(terminal: Terminal, run: Run, callName: string): string[] {
  const result = fieldsOf(run.result)
  if (run.status !== 'completed' || result === undefined) return []
  const scores = fieldsOf(result.scores)
  if (scores === undefined) return [`  ${printable(JSON.stringify(result)).slice(0, maxResultLength)}`]
  return [
    ...scoreLines(terminal, scores, fieldsOf(result.not_scored) ?? {}),
    ...findingLines(result),
    ...artifactLines(run.id, result, callName),
  ]
}

function scoreLines(terminal: Terminal, scores: Fields, notScored: Fields): string[] {
  // The overall score comes last, whatever order the areas have.
  const areas = Object.entries(scores).sort(
    ([left], [right]) => Number(left === 'overall') - Number(right === 'overall'),
  )
  return areas.flatMap(([area, score]) => {
    // Nothing was looked at: neither full marks nor none.
    if (score === null) {
      const why = notScored[area]
      return [`  ${area.padEnd(12)} not scored${typeof why === 'string' ? `: ${printable(why)}` : ''}`]
    }
    return typeof score === 'number'
      ? [`  ${area.padEnd(12)} ${bar(terminal, score)} ${score.toFixed(1)}`]
      : []
  })
}

function bar(terminal: Terminal, score: number): string {
  const filled = Math.round(Math.min(100, Math.max(0, score)) / 5)
  const color = score >= 80 ? 'green' : score >= 50 ? 'yellow' : 'red'
  return `${terminal.paint(color, '█'.repeat(filled))}${terminal.paint('dim', '░'.repeat(20 - filled))}`
}

function findingLines(result: Fields): string[] {
  const counts = Object.entries(fieldsOf(result.counts) ?? {})
    .filter(([, count]) => typeof count === 'number' && count > 0)
    .map(([severity, count]) => `${count} ${severity}`)
  const total = typeof result.findings_total === 'number' ? result.findings_total : 0
  const unread = typeof result.files_unread === 'number' ? result.files_unread : 0
  return [
    `  ${total} findings${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`,
    // Full marks for a part must not look like full marks for the whole.
    ...(unread > 0
      ? [`  not read: ${unread} files that are binary or beyond a limit; the report names them`]
      : []),
  ]
}

function artifactLines(runId: string, result: Fields, callName: string): string[] {
  const names = Array.isArray(result.artifacts)
    ? result.artifacts.filter((name) => typeof name === 'string')
    : []
  const report = names.find((name) => name.endsWith('.md'))
  return report === undefined ? [] : [`  Read it: ${callName} runs artifacts ${runId} ${report}`]
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined
}
