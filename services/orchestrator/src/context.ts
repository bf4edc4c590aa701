import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import type { Engine } from '@kyros/engine/engine'
import type { ClusterStatus } from '@kyros/engine/temporal/cluster-status'
import type { Clock } from '@kyros/kernel/clock'
import type { Store } from '@kyros/store/store'

/** What the slices of the API work with; made once by `createOrchestrator`. */
export type ApiContext = {
  readonly store: Store
  readonly engine: Engine
  readonly clock: Clock
  /** A new UUIDv7. */
  readonly newId: () => string
  /** What is wrong with workflows of users' own, at this moment. */
  readonly workflowFaults?: () => WorkflowFault[]
  /** How the Temporal cluster is; undefined where none is configured. */
  readonly readCluster?: () => Promise<ClusterStatus>
  /** Where jobs are archived before they are removed; undefined: nowhere. */
  readonly archiveDir?: string
  /** The project of jobs that name none. */
  readonly defaultProjectId: string
}
