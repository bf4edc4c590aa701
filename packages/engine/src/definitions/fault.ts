import type { WorkflowFault, WorkflowFaultCode } from '@kyros/contract/workflow-fault'

/** A definition that may not be run, with everything that must change. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError'
  readonly faults: readonly WorkflowFault[]

  constructor(workflow: string, faults: readonly WorkflowFault[]) {
    super(
      `The workflow ${workflow} cannot be used:\n${faults.map((fault) => `  ${faultText(fault)}`).join('\n')}`,
    )
    this.faults = faults
  }
}

/** One line for people: `file:line what is wrong: what to do`. */
export function faultText({ file, line, message, hint }: WorkflowFault): string {
  return `${line === null ? file : `${file}:${line}`} ${message}: ${hint}`
}

export type Place = { file: string; line: number | null }

export function errorAt(place: Place, code: WorkflowFaultCode, message: string, hint: string): WorkflowFault {
  return { severity: 'error', code, file: place.file, line: place.line, message, hint }
}

export function warningAt(
  place: Place,
  code: WorkflowFaultCode,
  message: string,
  hint: string,
): WorkflowFault {
  return { ...errorAt(place, code, message, hint), severity: 'warning' }
}
