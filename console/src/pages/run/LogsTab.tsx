import Download from '@carbon/icons-react/es/Download.js'
import { Button, Checkbox, Select, SelectItem } from '@carbon/react'
import type { LogLine, Run } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import { plural } from '../../format/quantity.ts'
import { formatClock, formatExact } from '../../format/relative-time.ts'
import { EmptyState, ErrorState, LoadingLines } from '../../ui/PageState.tsx'
import { saveText } from '../../ui/save-file.ts'
import { useRunLogs } from './useRunLogs.ts'

const lineHeightPx = 20
const everyStep = ''

type Props = { run: Run; step: string | undefined; onStep: (step: string | undefined) => void }

/** What the steps said, line by line, as they say it. */
export function LogsTab({ run, step, onStep }: Props) {
  const [turn, setTurn] = useState(0)
  const [isWrapped, setWrapped] = useState(true)
  const isLive = !isTerminal(run.status)
  const { lines, isLoading, error, isCut } = useRunLogs(run.id, isLive, turn)
  const steps = useMemo(
    () => [...new Set(run.steps.filter(({ kind }) => kind === 'step').map(({ name }) => name))],
    [run.steps],
  )
  const shown = useMemo(
    () => (step === undefined ? lines : lines.filter((line) => belongsTo(line, step))),
    [lines, step],
  )
  if (isLoading) return <LoadingLines lines={8} label="Loading the log" />
  return (
    <div className="k-tab-body">
      <div className="k-toolbar">
        <Select
          id="log-step"
          size="sm"
          labelText="Step"
          hideLabel
          value={step ?? everyStep}
          onChange={(event) => onStep(event.target.value === everyStep ? undefined : event.target.value)}
        >
          <SelectItem value={everyStep} text="Every step" />
          {steps.map((name) => (
            <SelectItem key={name} value={name} text={name} />
          ))}
        </Select>
        <Checkbox
          id="log-wrap"
          labelText="Wrap"
          checked={isWrapped}
          onChange={(_, { checked }) => setWrapped(checked)}
        />
        <span className="k-faint k-number k-toolbar__grow">
          {plural(shown.length, 'line')}
          {isCut && ' (the oldest are left out)'}
        </span>
        <Button
          kind="ghost"
          size="sm"
          renderIcon={Download}
          disabled={shown.length === 0}
          onClick={() => download(run, shown)}
        >
          Download
        </Button>
      </div>
      {error !== null && <ErrorState error={error} onRetry={() => setTurn(turn + 1)} isCompact />}
      {shown.length === 0 ? (
        <EmptyState title="No lines">
          {isLive ? 'Lines appear here as the steps write them.' : 'The steps of this run wrote nothing.'}
        </EmptyState>
      ) : (
        <LogLines lines={shown} isWrapped={isWrapped} isLive={isLive} />
      )}
    </div>
  )
}

type LinesProps = { lines: readonly LogLine[]; isWrapped: boolean; isLive: boolean }

function LogLines({ lines, isWrapped, isLive }: LinesProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeightPx,
    overscan: 30,
    getItemKey: (index) => lines[index]?.line ?? index,
  })
  useEffect(() => {
    if (isLive && isAtEnd.current && lines.length > 0)
      virtualizer.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [lines.length, isLive, virtualizer])
  const onScroll = () => {
    const element = scroller.current
    if (element === null) return
    isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 2 * lineHeightPx
  }
  return (
    <section
      className={isWrapped ? 'k-scroll k-logs k-logs--wrapped' : 'k-scroll k-logs'}
      ref={scroller}
      onScroll={onScroll}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable without a mouse.
      tabIndex={0}
      aria-label="Log"
    >
      <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
        {virtualizer.getVirtualItems().map(({ index, start, key }) => {
          const line = lines[index]
          if (line === undefined) return null
          return (
            <div
              key={key}
              ref={virtualizer.measureElement}
              data-index={index}
              className={`k-log k-log--${line.level}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              <span className="k-log__time" title={formatExact(line.time)}>
                {formatClock(line.time, true)}
              </span>
              <span className="k-log__level">{line.level}</span>
              <span className="k-log__step">{line.step}</span>
              <span className="k-log__message">{line.message}</span>
            </div>
          )
        })}
      </div>
    </section>
  )
}

/** A line names its step by key or by name, and a key begins with the name. */
function belongsTo(line: LogLine, name: string): boolean {
  return (
    line.step !== null &&
    (line.step === name || line.step.startsWith(`${name}#`) || line.step.startsWith(`${name}:`))
  )
}

function download(run: Run, lines: readonly LogLine[]) {
  const text = lines
    .map(({ time, level, step, message }) => `${time} ${level} ${step ?? '-'} ${message}`)
    .join('\n')
  saveText(`${run.type}-${run.id}.log`, 'text/plain', `${text}\n`)
}
