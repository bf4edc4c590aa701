import { type Static, Type } from 'typebox'

/** What can be wrong with a workflow of a user's own. The words do not change between releases. */
export const workflowFaultCodes = [
  // The definition would not do the same again when it is replayed.
  'time_read',
  'random_used',
  'timer_used',
  'io_used',
  'machine_read',
  'state_kept',
  'code_from_text',
  'node_imported',
  'schema_in_definition',
  'language_dependent',
  'not_awaited',
  // It cannot be read or put together.
  'syntax_error',
  'import_unresolved',
  'definition_missing',
  'definition_invalid',
  'schema_invalid',
  'name_taken',
  'steps_missing',
  'steps_invalid',
  'step_missing',
  'step_unused',
  'load_failed',
  'directory_unreadable',
] as const

/** One thing to mend in a workflow's files. An error keeps that workflow from being started, and no other. */
export const WorkflowFault = Type.Object(
  {
    severity: Type.Enum(['error', 'warning']),
    code: Type.Enum(workflowFaultCodes),
    file: Type.String({ description: 'Absolute path on the machine of the server' }),
    line: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
    message: Type.String({ description: 'What is wrong' }),
    hint: Type.String({ description: 'What to do instead' }),
  },
  { $id: 'WorkflowFault' },
)
export type WorkflowFault = Static<typeof WorkflowFault>

export type WorkflowFaultCode = (typeof workflowFaultCodes)[number]
