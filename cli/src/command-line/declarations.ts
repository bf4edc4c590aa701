import type { CommandDeclaration } from './declaration.ts'
import { operationDeclarations } from './operation-declarations.ts'

const listening = [
  ['--port <number>', 'port to listen on; 0 picks one (default: 8000)'],
  ['--host <address>', 'address to listen on (default: 127.0.0.1)'],
  ['--database-url <address>', 'PostgreSQL instead of SQLite'],
] as const
const paging = [
  ['--limit <number>', 'how many at most (default: 20)'],
  ['--cursor <text>', 'where the last list ended'],
] as const
const input = ['--input <json>', 'input as JSON, or @file'] as const
const asOf = ['--as-of <moment>', 'as it was after this event number, or at this time'] as const
const follow = ['--follow', 'stay until it ends'] as const
const runId = '<run-id>'
const jobId = '<job-id>'

const servers: CommandDeclaration[] = [
  {
    path: 'up',
    takes: '[path]',
    summary: 'Start everything in one process',
    options: [
      ...listening,
      ['--no-welcome', 'do not analyse a repository at the first start'],
      ['--dev', 'restart on changes and reload the console'],
    ],
    example: 'kyros up --port 8080 --no-welcome',
    load: async () => (await import('../commands/up.ts')).up,
  },
  {
    path: 'serve',
    takes: '<service...>',
    summary: 'Start single services: orchestrator, console, worker',
    options: listening,
    example: 'DATABASE_URL=postgres://localhost/kyros kyros serve orchestrator',
    load: async () => (await import('../commands/serve.ts')).serve,
  },
]

const jobs: CommandDeclaration[] = [
  {
    path: 'run',
    takes: '<workflow>',
    summary: 'Start a workflow',
    options: [input, follow, ['--title <text>', 'what the job is called']],
    example: `kyros run code_analysis --input '{"repository": "."}' --follow`,
    load: async () => (await import('../commands/run.ts')).run,
  },
  {
    path: 'jobs list',
    summary: 'List jobs, newest first',
    options: [
      ['--status <status>', 'only these'],
      ['--workflow <name>', 'only of this workflow'],
      ['--search <words>', 'words in the title or the task'],
      asOf,
      ...paging,
    ],
    example: 'kyros jobs list --status failed --limit 5',
    load: async () => (await import('../commands/jobs.ts')).listJobs,
  },
  {
    path: 'jobs get',
    takes: jobId,
    summary: 'Show a job',
    options: [asOf],
    example: 'kyros jobs get 0190a7b2-0000-7000-8000-000000000000 --json',
    load: async () => (await import('../commands/jobs.ts')).getJob,
  },
  {
    path: 'jobs submit',
    takes: '[title]',
    summary: 'Submit a job',
    options: [
      ['--task <text>', 'what is to be done, in words'],
      ['--workflow <name>', 'the workflow that does it'],
      ['--priority <level>', 'low, medium, high or critical'],
      input,
      follow,
    ],
    example: `kyros jobs submit 'Check the API' --workflow code_analysis --input '{"repository": "."}'`,
    load: async () => (await import('../commands/jobs.ts')).submitJob,
  },
  {
    path: 'jobs cancel',
    takes: jobId,
    summary: 'Cancel the latest run of a job',
    options: [['--reason <text>', 'why']],
    example: 'kyros jobs cancel 0190a7b2-0000-7000-8000-000000000000 --reason "wrong branch"',
    load: async () => (await import('../commands/jobs.ts')).cancelJob,
  },
  {
    path: 'jobs retry',
    takes: jobId,
    summary: 'Run a job again with the same input',
    options: [follow],
    example: 'kyros jobs retry 0190a7b2-0000-7000-8000-000000000000 --follow',
    load: async () => (await import('../commands/jobs.ts')).retryJob,
  },
  {
    path: 'jobs archive',
    summary: 'Archive jobs that ended long ago, and remove them with all that belongs to them',
    options: [
      ['--older-than-days <number>', 'only those that ended at least so long ago'],
      ['--yes', 'do not ask'],
    ],
    example: 'kyros jobs archive --older-than-days 90 --yes',
    load: async () => (await import('../commands/archive-jobs.ts')).archiveJobs,
  },
  {
    path: 'jobs delete',
    takes: jobId,
    summary: 'Delete a job and what its runs left',
    options: [['--force', 'cancel it first when it is running']],
    example: 'kyros jobs delete 0190a7b2-0000-7000-8000-000000000000 --force',
    load: async () => (await import('../commands/jobs.ts')).deleteJob,
  },
]

const runs: CommandDeclaration[] = [
  {
    path: 'runs list',
    summary: 'List runs, newest first',
    options: [
      ['--status <status>', 'only these'],
      ['--workflow <name>', 'only of this workflow'],
      ['--job <job-id>', 'only of this job'],
      ['--attribute <name=value>', 'only with this search attribute'],
      asOf,
      ...paging,
    ],
    example: 'kyros runs list --status running',
    load: async () => (await import('../commands/runs.ts')).listRuns,
  },
  {
    path: 'runs get',
    takes: runId,
    summary: 'Show a run with its steps',
    options: [asOf],
    example: 'kyros runs get 0190a7b2-0000-7000-8000-000000000000',
    load: async () => (await import('../commands/runs.ts')).getRun,
  },
  {
    path: 'runs show',
    takes: runId,
    summary: 'The same as runs get',
    options: [asOf],
    example: 'kyros runs show 0190a7b2-0000-7000-8000-000000000000 --as-of 2026-01-31T08:00:00Z',
    load: async () => (await import('../commands/runs.ts')).getRun,
  },
  {
    path: 'runs follow',
    takes: runId,
    summary: 'Watch a run until it ends',
    example: 'kyros runs follow 0190a7b2-0000-7000-8000-000000000000',
    load: async () => (await import('../commands/run.ts')).followRunCommand,
  },
  {
    path: 'runs cancel',
    takes: runId,
    summary: 'Ask a run to stop',
    options: [['--reason <text>', 'why']],
    example: 'kyros runs cancel 0190a7b2-0000-7000-8000-000000000000',
    load: async () => (await import('../commands/runs.ts')).cancelRun,
  },
  {
    path: 'runs retry',
    takes: runId,
    summary: 'Start a new run with the same input',
    options: [follow],
    example: 'kyros runs retry 0190a7b2-0000-7000-8000-000000000000 --follow',
    load: async () => (await import('../commands/runs.ts')).retryRun,
  },
  {
    path: 'runs logs',
    takes: runId,
    summary: 'Print what the steps of a run said',
    options: [['--step <name>', 'only of this step'], follow],
    example: 'kyros runs logs 0190a7b2-0000-7000-8000-000000000000 --step FetchCode',
    load: async () => (await import('../commands/runs.ts')).runLogs,
  },
  {
    path: 'runs why',
    takes: runId,
    summary: 'Say what a run waits for',
    example: 'kyros runs why 0190a7b2-0000-7000-8000-000000000000',
    load: async () => (await import('../commands/runs.ts')).whyRun,
  },
  {
    path: 'runs events',
    takes: runId,
    summary: 'Print the events of a run',
    example: 'kyros runs events 0190a7b2-0000-7000-8000-000000000000 --json',
    load: async () => (await import('../commands/runs.ts')).runEvents,
  },
  {
    path: 'runs artifacts',
    takes: '<run-id> [name]',
    summary: 'List what a run left, or print one file of it',
    options: [['--output <file>', 'write the file there instead of printing it']],
    example: 'kyros runs artifacts 0190a7b2-0000-7000-8000-000000000000 report.md',
    load: async () => (await import('../commands/artifacts.ts')).artifacts,
  },
]

const workflows: CommandDeclaration[] = [
  {
    path: 'init',
    takes: '[dir]',
    summary: 'Make an example of a workflow of your own, with its steps and a test',
    example: 'kyros init my-workflows',
    load: async () => (await import('../init/init.ts')).init,
  },
  {
    path: 'runs history',
    takes: runId,
    summary: 'Print a run with its events as JSON, to replay it in a test',
    options: [['--output <file>', 'write it there instead']],
    example: 'kyros runs history 0190a7b2-0000-7000-8000-000000000000 --output run.json',
    load: async () => (await import('../commands/run-history.ts')).runHistory,
  },
  {
    path: 'workflows check',
    takes: '[dir]',
    summary: 'Say what is wrong with the workflows in a directory (default: workflows.dir, ./workflows)',
    example: 'kyros workflows check',
    load: async () => (await import('../workflows/check.ts')).checkCommand,
  },
  {
    path: 'workflows test',
    takes: '[dir]',
    summary: 'Run the tests beside workflows, on the Node that runs Kyros',
    example: 'kyros workflows test',
    load: async () => (await import('../workflows/run-tests.ts')).testCommand,
  },
]

const events: CommandDeclaration[] = [
  {
    path: 'events list',
    summary: 'List events in the order of their numbers',
    options: [
      ['--type <type>', 'only of this type'],
      ['--subject <subject>', 'only about this'],
      ['--after <number>', 'only with a larger number'],
      ...paging,
    ],
    example: 'kyros events list --type job.created --limit 3',
    load: async () => (await import('../commands/events.ts')).listEvents,
  },
  {
    path: 'events tail',
    summary: 'Follow the log as it is written',
    options: [
      ['--type <type>', 'only of this type'],
      ['--after <number>', 'begin behind this number'],
    ],
    example: 'kyros events tail --json',
    load: async () => (await import('../commands/events.ts')).tailEvents,
  },
  {
    path: 'events emit',
    takes: '<type>',
    summary: 'Write an event of your own',
    options: [['--payload <json>', 'what it says, as JSON or @file']],
    example: `kyros events emit build.finished --payload '{"commit": "4f2a"}'`,
    load: async () => (await import('../commands/events.ts')).emitEvent,
  },
]

const database: CommandDeclaration[] = [
  {
    path: 'db migrate',
    summary: 'Bring the database to this version',
    example: 'kyros db migrate',
    load: async () => (await import('../commands/db.ts')).migrate,
  },
  {
    path: 'db rollback',
    summary: 'Take back the last migration',
    options: [
      ['--yes', 'do not ask'],
      ['--force', 'also while servers run on this PostgreSQL'],
    ],
    example: 'kyros db rollback --yes',
    load: async () => (await import('../commands/db.ts')).rollback,
  },
  {
    path: 'db status',
    summary: 'Show which migrations are applied',
    example: 'kyros db status --json',
    load: async () => (await import('../commands/db.ts')).status,
  },
  {
    path: 'db new',
    takes: '<name>',
    summary: 'Make the file of a new migration',
    example: 'kyros db new add-agents',
    load: async () => (await import('../commands/db.ts')).newMigration,
  },
  {
    path: 'db reset',
    summary: 'Delete everything and start empty (never in production)',
    options: [
      ['--yes', 'do not ask'],
      ['--force', 'also while servers run on this PostgreSQL'],
    ],
    example: 'kyros db reset --yes',
    load: async () => (await import('../commands/db.ts')).reset,
  },
  {
    path: 'db backup',
    takes: '[directory]',
    summary: 'Copy database and files while the server runs',
    example: 'kyros db backup ./backup-monday',
    load: async () => (await import('../commands/db.ts')).backup,
  },
  {
    path: 'db restore',
    takes: '<directory>',
    summary: 'Put a backup in place of the data',
    options: [
      ['--yes', 'do not ask'],
      ['--force', 'also while servers run on this PostgreSQL'],
    ],
    example: 'kyros db restore ./backup-monday --yes',
    load: async () => (await import('../commands/db.ts')).restore,
  },
]

const others: CommandDeclaration[] = [
  {
    path: 'user add',
    takes: '<email>',
    summary: 'Add a user; the password is asked for, or read from standard input',
    options: [
      ['--role <role>', 'viewer, operator or admin (default: operator)'],
      ['--generate', 'make a password and print it'],
    ],
    example: 'kyros user add ada@example.com --role admin --generate',
    load: async () => (await import('../commands/user.ts')).addUser,
  },
  {
    path: 'user list',
    summary: 'List users',
    example: 'kyros user list',
    load: async () => (await import('../commands/user.ts')).listUsers,
  },
  {
    path: 'login',
    takes: '[email]',
    summary: 'Sign in to a server and remember it',
    options: [['--forget', 'sign out and forget it']],
    example: 'kyros login admin@localhost --url http://127.0.0.1:8000',
    load: async () => (await import('../commands/login.ts')).login,
  },
  {
    path: 'config',
    summary: 'Show every setting, its value and where it came from',
    options: [['--all', 'also the ones that have their default']],
    example: 'kyros config --all',
    load: async () => (await import('../commands/config.ts')).showConfig,
  },
  {
    path: 'engine status',
    summary: 'Say which engines move how many runs, and how the Temporal cluster is',
    example: 'kyros engine status',
    load: async () => (await import('../commands/engine.ts')).engineStatus,
  },
  {
    path: 'doctor',
    summary: 'Check this machine and say how to mend what is wrong',
    example: 'kyros doctor',
    load: async () => (await import('../commands/doctor.ts')).doctor,
  },
  {
    path: 'conform',
    takes: '[workflow]',
    summary: "Replay recorded histories with Temporal's own core and compare",
    options: [
      ['--limit <number>', 'how many histories of the server at most (default: 20)'],
      ['--recorded', 'those that come with Kyros, also when a server runs'],
    ],
    example: 'kyros conform code_analysis',
    load: async () => (await import('../commands/conform.ts')).conform,
  },
  {
    path: 'completion',
    takes: '<shell>',
    summary: 'Print completion for bash, zsh or fish',
    example: 'kyros completion bash > ~/.local/share/bash-completion/completions/kyros',
    load: async () => (await import('../commands/completion.ts')).completion,
  },
]

/** Every command there is. */
export const declarations: readonly CommandDeclaration[] = [
  ...servers,
  ...jobs,
  ...runs,
  ...operationDeclarations,
  ...workflows,
  ...events,
  ...database,
  ...others,
]
