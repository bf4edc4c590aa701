import { Button } from '@carbon/react'
import type { RunStatus } from '@kyros/contract/run-status'
import { canCancel, canPause, canResume, canRetry } from '@kyros/contract/run-status'
import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useRights } from '../api/useRights.ts'
import { formatCount, plural } from '../format/quantity.ts'
import { useShortcut } from '../frame/shortcuts.ts'
import { ConfirmDialog } from '../ui/Dialog.tsx'
import { ErrorState, LoadingLines } from '../ui/PageState.tsx'
import { type Column, VirtualTable } from '../ui/VirtualTable.tsx'
import { actOnRuns, type BulkAction } from './bulk-action.ts'
import { ColumnPicker } from './ColumnPicker.tsx'
import { useColumnChoice } from './column-choice.ts'
import type { LiveList } from './useLiveList.ts'

type Row = {
  id: string
  created_at: string
  created_by: string
  status: RunStatus
  cancel_requested?: boolean
  definition?: string
  paused?: boolean
}

export type ListViewProps<R extends Row> = LiveList<R> & {
  noun: string
  columns: readonly Column<R>[]
  label: (row: R) => string
  href: (row: R) => string
  empty: ReactNode
  /** The run that a row stands for: what is cancelled or started again. */
  runIdOf: (row: R) => string
}

/** The body of a list page: its states, its rows, its keys, and what can be done to many at once. */
export function ListView<R extends Row>(props: ListViewProps<R>) {
  const { rows, noun } = props
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [cancelling, setCancelling] = useState<readonly string[]>([])
  const rights = useRights()
  const isOwn = (row: R) => rights.mayActOn(row.created_by)
  const keys = useRowKeys(props, isOwn, setCancelling)
  const columns = useColumnChoice(noun, props.columns)
  const act = (action: BulkAction, ids: readonly string[]) => {
    const runIds = rows.filter(({ id }) => ids.includes(id)).map(props.runIdOf)
    void actOnRuns({ action, runIds, noun })
    setSelected(new Set())
  }
  const toggle = (id: string) => setSelected(toggled(selected, id))
  const chosen = rows.filter(({ id }) => selected.has(id))
  const own = chosen.filter(isOwn)
  if (props.isPending) return <LoadingLines lines={10} label={`Loading the ${noun}s`} />
  if (rows.length === 0 && props.error !== null)
    return <ErrorState error={props.error} onRetry={props.onRetryRead} />
  if (rows.length === 0) return props.empty
  return (
    <div className="k-list">
      <div className="k-list__bar">
        <Count {...props} />
        {chosen.length > 0 && (
          <Selected
            own={own}
            foreign={chosen.length - own.length}
            onCancel={setCancelling}
            onAct={act}
            onClear={() => setSelected(new Set())}
          />
        )}
        <ColumnPicker
          columns={props.columns}
          shown={columns.shown}
          onToggle={columns.toggle}
          onReset={columns.reset}
        />
      </div>
      <VirtualTable
        label={`${noun}s`}
        rows={rows}
        columns={columns.shown}
        rowId={({ id }) => id}
        rowLabel={props.label}
        total={props.total ?? rows.length}
        activeIndex={keys.activeIndex}
        onOpen={keys.open}
        selection={rights.mayCreate ? { ids: selected, onToggle: toggle } : undefined}
        onEnd={props.onEnd}
        footer={<ListEnd {...props} />}
      />
      {cancelling.length > 0 && (
        <CancelQuestion
          {...props}
          ids={cancelling}
          onClose={() => setCancelling([])}
          onConfirm={() => {
            act('cancel', cancelling)
            setCancelling([])
          }}
        />
      )}
    </div>
  )
}

type QuestionProps = { ids: readonly string[]; onClose: () => void; onConfirm: () => void }

function CancelQuestion<R extends Row>({
  ids,
  onClose,
  onConfirm,
  ...props
}: ListViewProps<R> & QuestionProps) {
  return (
    <ConfirmDialog
      title={`Cancel ${nameOf(props, ids)}?`}
      confirm={`Cancel ${plural(ids.length, props.noun)}`}
      isDangerous
      onClose={onClose}
      onConfirm={onConfirm}
    >
      Steps that are running are told to stop and clean up. What they have done so far is kept.
    </ConfirmDialog>
  )
}

function Count<R extends Row>({ rows, total, hasMore, noun, newCount, onShowNew }: ListViewProps<R>) {
  const count = total ?? rows.length
  const isAtLeast = total === undefined && hasMore
  return (
    <>
      <span className="k-list__count k-number">
        {isAtLeast ? `${formatCount(count)}+ ${noun}s` : plural(count, noun)}
      </span>
      {newCount > 0 && (
        <Button kind="tertiary" size="sm" onClick={onShowNew}>
          {`${newCount} new`}
        </Button>
      )}
    </>
  )
}

type SelectedProps = {
  /** Those that this person may act on. */
  own: readonly Row[]
  /** How many belong to others. */
  foreign: number
  onCancel: (ids: readonly string[]) => void
  onAct: (action: BulkAction, ids: readonly string[]) => void
  onClear: () => void
}

/** Jobs do not know their definition, so that only runs are paused from a list. */
const isPausable = ({ definition = '', ...row }: Row) => canPause({ ...row, definition })

function Selected({ own, foreign, onCancel, onAct, onClear }: SelectedProps) {
  const idsOf = (is: (row: Row) => boolean) => own.filter(is).map(({ id }) => id)
  const [cancellable, retryable] = [idsOf(canCancel), idsOf(canRetry)]
  const [pausable, resumable] = [idsOf(isPausable), idsOf(canResume)]
  return (
    <fieldset className="k-list__selected">
      <legend className="k-hidden">What to do with the selected ones</legend>
      <span>{`${own.length + foreign} selected${foreign === 0 ? '' : `, ${foreign} of others`}`}</span>
      <Button
        kind="ghost"
        size="sm"
        disabled={cancellable.length === 0}
        onClick={() => onCancel(cancellable)}
      >
        {`Cancel ${cancellable.length}`}
      </Button>
      {pausable.length > 0 && (
        <Button kind="ghost" size="sm" onClick={() => onAct('pause', pausable)}>
          {`Pause ${pausable.length}`}
        </Button>
      )}
      {resumable.length > 0 && (
        <Button kind="ghost" size="sm" onClick={() => onAct('resume', resumable)}>
          {`Resume ${resumable.length}`}
        </Button>
      )}
      <Button
        kind="ghost"
        size="sm"
        disabled={retryable.length === 0}
        onClick={() => onAct('retry', retryable)}
      >
        {`Retry ${retryable.length}`}
      </Button>
      <Button kind="ghost" size="sm" onClick={onClear}>
        Clear
      </Button>
    </fieldset>
  )
}

function ListEnd<R extends Row>({ hasMore, error, onRetryRead }: ListViewProps<R>) {
  if (error !== null) return <ErrorState error={error} onRetry={onRetryRead} isCompact />
  return hasMore ? <LoadingLines lines={2} label="Loading more" /> : null
}

/** j and k move, Enter opens, x selects nothing by accident, c asks to cancel. */
function useRowKeys<R extends Row>(
  props: ListViewProps<R>,
  isOwn: (row: R) => boolean,
  onCancel: (ids: string[]) => void,
) {
  const navigate = useNavigate()
  const [activeId, setActiveId] = useState<string | undefined>(undefined)
  const { rows } = props
  const activeIndex = rows.findIndex(({ id }) => id === activeId)
  const active = rows[activeIndex]
  const move = (step: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, activeIndex + step))]
    setActiveId(next?.id)
  }
  const open = (row: R) => void navigate({ href: props.href(row) })
  useShortcut('j', 'Next row', () => move(1))
  useShortcut('k', 'Previous row', () => move(-1))
  useShortcut('Enter', 'Open the row', () => active !== undefined && open(active))
  useShortcut('c', `Cancel the ${props.noun}`, () => {
    if (active !== undefined && canCancel(active) && isOwn(active)) onCancel([active.id])
  })
  return { activeIndex, open }
}

function nameOf<R extends Row>({ rows, label, noun }: ListViewProps<R>, ids: readonly string[]): string {
  const only = ids.length === 1 ? rows.find(({ id }) => id === ids[0]) : undefined
  return only === undefined ? plural(ids.length, noun) : `“${label(only)}”`
}

function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(ids)
  if (!next.delete(id)) next.add(id)
  return next
}
