import type { Why } from '@kyros/contract/job'
import type { RunRecord } from '@kyros/store/store'
import type { GateState, RunGates } from './run-gates.ts'

type Wait = Why['waits_for'][number]

/** What a run waits for, and the sentence that says what would move it. */
export type Explained = { wait: Wait; moves: string }

export const seconds = (ms: number) => Math.max(0, Math.round(ms / 1000))
export const iso = (ms: number) => new Date(ms).toISOString()

function explained(
  kind: string,
  name: string,
  detail: string,
  moves: string,
  until?: string | null,
): Explained {
  return { wait: { kind, name, detail, ...(until == null ? {} : { until }) }, moves }
}

/** Every wait that the log can also tell of, said the same way from memory and from the record. */
export const wait = {
  blocked: (detail: string) =>
    explained(
      'blocked',
      'definition',
      detail,
      'Correct the definition and move the run to it: kyros runs upgrade.',
    ),
  agentMissing: (detail: string) =>
    explained(
      'agent_missing',
      'agent',
      detail,
      'Cancel it, and submit the job again with a workflow: GET /api/v1/workflow-types lists them.',
    ),
  workerMissing: (step: string, detail = `nothing here does the step ${step}`) =>
    explained('worker_missing', step, detail, 'Start a process that does this step.'),
  versionMissing: (build: string) =>
    explained(
      'worker_missing',
      'version',
      `no worker serves the version ${build} that it is on`,
      'Start a worker of the Kyros that the run began with: kyros serve worker. What runs are on, kyros engine status lists.',
    ),
  engine: (detail: string, moves: string) => explained('engine', 'engine', detail, moves),
  withoutCluster: () =>
    explained(
      'engine',
      'temporal',
      'this run is on Temporal, and this server has no temporal.host_port',
      'Start the server with temporal.host_port again: what happened to the run meanwhile is then read from the cluster.',
    ),
  fault: (detail: string) =>
    explained(
      'engine',
      'fault',
      detail,
      'It is tried again by itself; while this stays it does not move. What is named there must be put right.',
    ),
  paused: (by: string, sinceMs: number | undefined) => {
    const since = sinceMs === undefined ? '' : ` since ${iso(sinceMs)}`
    return explained('paused', by, `paused by ${by}${since}`, 'Resume it: kyros runs resume.')
  },
  budget: (what: string, sentence: string) =>
    explained('budget_exceeded', what, sentence, 'Raise its budget: kyros runs budget.'),
  start: (until: string | null) =>
    explained(
      'timer',
      'start',
      'not to begin before its time',
      `It begins at ${until ?? 'its time'}.`,
      until,
    ),
  timer: (name: string, fireAtMs: number) =>
    explained('timer', name, `until ${iso(fireAtMs)}`, `It goes on at ${iso(fireAtMs)}.`, iso(fireAtMs)),
  signals: (names: readonly string[]) => {
    const name = names.join(', ')
    const one = names.length === 1 ? `the signal ${name}` : `one of the signals ${name}`
    return explained('signal', name, `listens for: ${name}`, `Send ${one}.`)
  },
  condition: () =>
    explained(
      'condition',
      'condition',
      'waits for a condition of its definition, and takes no signals',
      'An update or a timer of its definition has to make the condition true. If none does, cancel it.',
    ),
  /** Of a run that is not in memory: its log does not say what it listens for. */
  signalOrCondition: (until: string | null) => {
    const orWait = until === null ? '' : `, or wait until ${until}`
    const detail = 'waits for a signal, or for a condition of its definition'
    return explained(
      'signal',
      'signal',
      detail,
      `Send the signal it waits for, if it takes any${orWait}.`,
      until,
    )
  },
  waitpoint: (name: string, title: string | undefined, expiresAtMs: number | undefined) => {
    const until = expiresAtMs === undefined ? undefined : iso(expiresAtMs)
    const asks = title === undefined ? `asks ${name}` : `asks: ${title}`
    const orEnd = until === undefined ? '' : `, until ${until}`
    return explained('waitpoint', name, asks, `Who has its token must answer${orEnd}.`, until)
  },
  child: (workflow: string, runId: string) =>
    explained('child', workflow, `waits for run ${runId}`, `Run ${runId} must end; ask why of it.`),
  updates: (count: number) =>
    explained('update', 'update', `${count} accepted and not answered`, 'Its handlers must end.'),
  concurrency: (place: GateState | undefined, detail: string) => {
    if (place === undefined) return explained('concurrency', 'workflow', detail, 'Another run must end.')
    const { key, limit, holders, ahead } = place
    const shown = holders.slice(0, 3).join(', ')
    const more = holders.length > 3 ? ` and ${holders.length - 3} more` : ''
    const held = `${holders.length} of ${limit} under way: ${shown}${more}; ${ahead} ahead of it`
    return explained('concurrency', key, `${detail} ${held}`, `Run ${holders[0] ?? 'before it'} must end.`)
  },
}

/** From the record alone: the run is not in this process's memory. */
export function fromRecord(
  record: RunRecord,
  engine: 'holds' | 'recovers' | 'elsewhere',
  gates: RunGates,
): Explained[] {
  switch (record.status) {
    case 'pending':
    case 'running':
      return [fromEngine(record, engine)]
    case 'waiting':
      return [explainReason(record, gates)]
    default:
      return []
  }
}

function fromEngine({ status }: RunRecord, engine: 'holds' | 'recovers' | 'elsewhere'): Explained {
  switch (engine) {
    case 'recovers':
      return wait.engine('the engine takes up what it found', 'It goes on when the engine has taken it up.')
    case 'elsewhere':
      return status === 'pending'
        ? wait.engine('not taken up yet', 'The engine takes it up when it runs.')
        : wait.engine(
            'runs in another process, or will when one holds the engine',
            'It moves in the process that holds the engine.',
          )
    case 'holds':
      return wait.engine('not in memory', 'The engine takes it up within seconds.')
  }
}

function explainReason(record: RunRecord, gates: RunGates): Explained {
  const { reason, reason_detail, waiting_until: until } = record
  const detail = reason_detail ?? ''
  switch (reason) {
    case 'agent_missing':
      return wait.agentMissing(detail)
    case 'blocked':
      return wait.blocked(detail)
    case 'worker_missing':
      return wait.workerMissing('step', detail)
    case 'signal':
      return wait.signalOrCondition(until)
    case 'paused':
      return wait.paused(/^Paused by (.+)\.$/.exec(detail)?.[1] ?? 'somebody', undefined)
    case 'budget_exceeded':
      return wait.budget(budgetWord(detail), detail)
    case 'concurrency':
      return wait.concurrency(gates.explain(record.id), detail)
    case 'waitpoint':
      return wait.waitpoint('waitpoint', detail, until === null ? undefined : Date.parse(until))
    case 'child':
      return explained('child', 'child', detail, 'Its run must end; ask why of it.')
    case 'timer':
      return record.started_at === null ? wait.start(until) : timerOf(until)
    default:
      return explained(reason ?? 'engine', reason ?? 'engine', detail, 'It goes on by itself.', until)
  }
}

function timerOf(until: string | null): Explained {
  return until === null
    ? explained('timer', 'timer', 'for a time', 'It goes on by itself.')
    : wait.timer('timer', Date.parse(until))
}

/** The sentence of the budget says which limit it is. */
function budgetWord(detail: string): string {
  if (detail.includes('tokens')) return 'tokens'
  return detail.includes('$') ? 'cost' : 'time'
}
