import type { CommandDeclaration } from './declaration.ts'

const runId = '<run-id>'
const named = '<run-id> <name>'
const argument = ['--input <json>', 'what to send, as JSON or @file'] as const
const anId = '0190a7b2-0000-7000-8000-000000000000'

/** What is done to runs that are under way, and what they are asked. */
export const operationDeclarations: readonly CommandDeclaration[] = [
  {
    path: 'runs pause',
    takes: runId,
    summary: 'Let a run begin no new step',
    example: `kyros runs pause ${anId}`,
    load: async () => (await import('../commands/run-operations.ts')).pauseRun,
  },
  {
    path: 'runs resume',
    takes: runId,
    summary: 'Let a paused run go on',
    example: `kyros runs resume ${anId}`,
    load: async () => (await import('../commands/run-operations.ts')).resumeRun,
  },
  {
    path: 'runs fork',
    takes: runId,
    summary: 'Start a new run that takes over the results before a step',
    options: [
      ['--from <step-key>', 'the first step that is done anew, as runs get shows it'],
      ['--new-job', 'as a job of its own; possible while the original goes on'],
      ['--follow', 'stay until it ends'],
    ],
    example: `kyros runs fork ${anId} --from GenerateReport --follow`,
    load: async () => (await import('../commands/run-operations.ts')).forkRun,
  },
  {
    path: 'runs upgrade',
    takes: runId,
    summary: 'Move a run to the newest definition of its workflow, if its history replays on it',
    options: [['--to <hash>', 'to this definition; kyros workflows lists them']],
    example: `kyros runs upgrade ${anId}`,
    load: async () => (await import('../commands/run-operations.ts')).upgradeRun,
  },
  {
    path: 'runs budget',
    takes: runId,
    summary: 'Set limits of a run; one that waits for its budget goes on if it now has room',
    options: [
      ['--time-seconds <number>', 'time in which its steps are attempted'],
      ['--tokens <number>', 'tokens of models'],
      ['--cost-usd <number>', 'money'],
    ],
    example: `kyros runs budget ${anId} --tokens 200000`,
    load: async () => (await import('../commands/run-operations.ts')).setBudget,
  },
  {
    path: 'runs signal',
    takes: named,
    summary: 'Send a signal into a run',
    options: [argument],
    example: `kyros runs signal ${anId} approve --input '{"by": "Ada"}'`,
    load: async () => (await import('../commands/run-messages.ts')).signalRun,
  },
  {
    path: 'runs query',
    takes: named,
    summary: 'Ask a run something that its definition answers',
    options: [argument],
    example: `kyros runs query ${anId} progress`,
    load: async () => (await import('../commands/run-messages.ts')).queryRun,
  },
  {
    path: 'runs update',
    takes: named,
    summary: 'Change a run and wait for what it says',
    options: [argument],
    example: `kyros runs update ${anId} add-item --input '{"name": "milk"}'`,
    load: async () => (await import('../commands/run-messages.ts')).updateRun,
  },
  {
    path: 'runs stream',
    takes: named,
    summary: 'Follow what the steps of a run write to a stream',
    options: [['--after <offset>', 'begin behind this offset']],
    example: `kyros runs stream ${anId} tokens`,
    load: async () => (await import('../commands/run-messages.ts')).streamRun,
  },
  {
    path: 'workflows',
    summary: 'List the versions of workflows, and how many runs are under way on each',
    example: 'kyros workflows',
    load: async () => (await import('../commands/workflows.ts')).listVersions,
  },
]
