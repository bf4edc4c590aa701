import type { Clock } from '@kyros/kernel/clock'
import { isObject } from '@kyros/kernel/is-object'
import type { Log } from '@kyros/kernel/log'
import { createRateLimiter } from '@kyros/kernel/rate-limit'
import { fieldProblem } from '../http/plain-text.ts'

export const cspReportMediaTypes = [
  'application/json',
  'application/csp-report',
  'application/reports+json',
] as const

export const maxCspReportBytes = 64 * 1024

const maxReports = 20
const maxTextLength = 200
/** Anybody may send reports: beyond this they are taken and not logged. */
const logged = { calls: 60, windowMs: 60_000 }

/** What is worth a log line, by the names that the two forms and the older clients give it. */
const fields = {
  document: ['document-uri', 'documentURL', 'document_uri'],
  directive: [
    'effective-directive',
    'effectiveDirective',
    'effective_directive',
    'violated-directive',
    'violated_directive',
  ],
  blocked: ['blocked-uri', 'blockedURL', 'blocked_uri'],
  source: ['source-file', 'sourceFile', 'source_file'],
} as const

/** Logs violations of the content security policy that browsers report. @throws request_invalid */
export function createCspReporter(log: Log, clock: Clock): (body: unknown) => { status: string } {
  const limiter = createRateLimiter(logged, clock, 1)
  return (body) => {
    for (const report of reportsIn(body)) {
      if (limiter.take('reports').allowed)
        log.warn({ csp: summary(report) }, 'content security policy violated')
    }
    return { status: 'reported' }
  }
}

function reportsIn(body: unknown): Record<string, unknown>[] {
  if (Array.isArray(body)) {
    const reports = body.slice(0, maxReports).map((report) => (isObject(report) ? report.body : undefined))
    return reports.filter(isObject)
  }
  const report = isObject(body) ? (body['csp-report'] ?? body.csp_report) : undefined
  if (isObject(report)) return [report]
  throw fieldProblem('', 'must be a report of a browser: {"csp-report": {…}} or a list of reports')
}

function summary(report: Record<string, unknown>): Record<string, string> {
  const said: Record<string, string> = {}
  for (const [name, keys] of Object.entries(fields)) {
    const value = keys.map((key) => report[key]).find((candidate) => typeof candidate === 'string')
    if (typeof value === 'string') said[name] = value.slice(0, maxTextLength)
  }
  return said
}
