import type { Answer } from '@kyros/contract/operation'
import type { CommandFunction } from '../command-line/command-context.ts'
import { exitCode } from '../command-line/exit-code.ts'
import { printTable } from '../command-line/table.ts'
import type { Terminal } from '../command-line/terminal.ts'
import { connect } from '../connect/connect.ts'

type Status = Answer<'engineStatus'>
type Cluster = NonNullable<Status['temporal']['cluster']>
type Row = { name: string } & Status['embedded']

const columns = [
  { title: 'ENGINE', value: ({ name }: Row) => name },
  { title: 'NEW RUNS', value: (row: Row) => (row.takes_new_runs ? 'yes' : 'no') },
  { title: 'NOT ENDED', value: ({ runs }: Row) => sumOf(runs), align: 'right' as const },
  { title: 'BY STATUS', value: ({ runs }: Row) => wordsOf(runs) },
]

const workerColumns = [
  { title: 'WORKER', value: ({ identity }: Cluster['workers'][number]) => identity },
  { title: 'BUILD', value: ({ build }: Cluster['workers'][number]) => build?.slice(0, 12) ?? '-' },
  { title: 'LAST SEEN', value: ({ last_seen_at: at }: Cluster['workers'][number]) => at ?? '-' },
]

const buildColumns = [
  { title: 'RUNS ON BUILD', value: ({ build }: Cluster['builds'][number]) => build.slice(0, 12) },
  {
    title: 'NOT ENDED',
    value: ({ runs }: Cluster['builds'][number]) => String(runs),
    align: 'right' as const,
  },
  {
    title: 'WORKER',
    value: ({ has_worker: hasWorker }: Cluster['builds'][number]) => (hasWorker ? 'yes' : 'none'),
  },
]

/** `kyros engine status`: fails when a cluster is configured and cannot be used. */
export const engineStatus: CommandFunction = async (context) => {
  const { terminal } = context
  const { client } = await connect(context)
  const status = await client.call('engineStatus')
  const { embedded, temporal } = status
  if (context.wantsJson) terminal.json(status)
  else {
    const rows = [
      { name: 'embedded', ...embedded },
      { name: 'temporal', ...temporal },
    ]
    printTable(terminal, columns, rows)
    terminal.out('')
    printCluster(terminal, temporal)
  }
  return temporal.cluster?.state === 'faulty' ? exitCode.failed : exitCode.done
}

function printCluster(
  terminal: Terminal,
  { cluster, waiting_for_dispatch: waiting }: Status['temporal'],
): void {
  if (cluster === null) {
    terminal.out('No Temporal cluster is configured (temporal.host_port).')
    return
  }
  const {
    address,
    namespace,
    task_queue: queue,
    state,
    server_version: version,
    fault,
    workers,
    builds,
  } = cluster
  const named = version === null ? 'Temporal' : `Temporal ${version}`
  terminal.out(`${named} at ${address}, namespace ${namespace}, task queue ${queue}: ${state}`)
  if (fault !== null) terminal.out(`  ${fault}`)
  terminal.out(`Waiting for dispatch: ${waiting}`)
  if (workers.length > 0) printTable(terminal, workerColumns, workers)
  else if (state === 'healthy') terminal.out('No worker polls it. Start one: kyros serve worker.')
  if (builds.length === 0) return
  terminal.out('')
  printTable(terminal, buildColumns, builds)
  if (builds.every(({ has_worker: hasWorker }) => hasWorker)) return
  terminal.out(
    'Runs without a worker began with another Kyros: start a worker of that one until they have ended.',
  )
}

const sumOf = (runs: Row['runs']) => String(Object.values(runs).reduce((sum, count) => sum + count, 0))

function wordsOf(runs: Row['runs']): string {
  const words = Object.entries(runs).map(([status, count]) => `${count} ${status}`)
  return words.length === 0 ? '-' : words.join(', ')
}
