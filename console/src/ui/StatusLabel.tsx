import CheckmarkFilled from '@carbon/icons-react/es/CheckmarkFilled.js'
import CircleDash from '@carbon/icons-react/es/CircleDash.js'
import ErrorFilled from '@carbon/icons-react/es/ErrorFilled.js'
import Hourglass from '@carbon/icons-react/es/Hourglass.js'
import InProgress from '@carbon/icons-react/es/InProgress.js'
import StopFilled from '@carbon/icons-react/es/StopFilled.js'
import WarningAltFilled from '@carbon/icons-react/es/WarningAltFilled.js'
import type { RunStatus } from '@kyros/contract/run-status'

const icons = {
  pending: CircleDash,
  running: InProgress,
  waiting: Hourglass,
  completed: CheckmarkFilled,
  failed: ErrorFilled,
  cancelled: StopFilled,
  timed_out: WarningAltFilled,
} as const satisfies Record<RunStatus, unknown>

/** A status in a person's words: `timed out`, `worker missing`. */
export function words(name: string): string {
  return name.replaceAll('_', ' ')
}

type Props = { status: RunStatus; reason?: string | null; isCancelling?: boolean; isIconOnly?: boolean }

/** Icon and word: the colour never says it alone. */
export function StatusLabel({ status, reason, isCancelling = false, isIconOnly = false }: Props) {
  const Icon = icons[status]
  const text = isCancelling ? 'cancelling' : words(status)
  return (
    <span className={`k-status k-status--${status}`} title={isIconOnly ? text : undefined}>
      <Icon size={16} aria-hidden="true" />
      <span className={isIconOnly ? 'k-hidden' : 'k-status__word'}>{text}</span>
      {reason !== null && reason !== undefined && !isIconOnly && (
        <span className="k-status__reason">{words(reason)}</span>
      )}
    </span>
  )
}
