import { resolve } from 'node:path'
import type { WorkflowFault, WorkflowFaultCode } from '@kyros/contract/workflow-fault'
import { workflowFaultCodes } from '@kyros/contract/workflow-fault'
import { errorAt } from './fault.ts'

type BuildMessage = { text: string; detail: unknown; location: { file: string; line: number } | null }

/** What the bundler says against a file. @throws what is no failed build */
export function buildFaults(error: unknown, directory: string): WorkflowFault[] {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) throw error
  return error.errors.map((message: BuildMessage) => {
    const place =
      message.location === null
        ? { file: directory, line: null }
        : { file: resolve(directory, message.location.file), line: message.location.line }
    const { code, hint } = ownDetail(message.detail) ?? judge(message.text)
    return errorAt(place, code, message.text, hint)
  })
}

type Detail = { code: WorkflowFaultCode; hint: string }

function ownDetail(detail: unknown): Detail | undefined {
  if (typeof detail !== 'object' || detail === null || !('code' in detail) || !('hint' in detail))
    return undefined
  const code = workflowFaultCodes.find((known) => known === detail.code)
  return code === undefined ? undefined : { code, hint: String(detail.hint) }
}

function judge(text: string): Detail {
  if (/^Could not resolve/.test(text)) {
    return { code: 'import_unresolved', hint: 'check the path, or install the package' }
  }
  if (/^No matching export/.test(text)) {
    return { code: 'definition_missing', hint: 'export the definition as `workflow`' }
  }
  return { code: 'syntax_error', hint: 'correct the file' }
}
