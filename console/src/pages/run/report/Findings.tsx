import { Search } from '@carbon/react'
import {
  type AnalysisFinding,
  type AnalysisReport,
  reportAreas,
  severities,
} from '@kyros/contract/analysis-report'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useDeferredValue, useMemo, useRef, useState } from 'react'
import { formatCount, plural } from '../../../format/quantity.ts'
import type { RunSearch } from '../../../router.tsx'
import { EmptyState } from '../../../ui/PageState.tsx'
import { changeKinds, type ReportComparison } from './compare-reports.ts'
import { FindingItem, GroupHeading } from './FindingItem.tsx'
import { countBy, type FindingRow, filterFindings, groupFindings } from './report-model.ts'

const estimatedRowPx = 44

type Props = {
  report: AnalysisReport
  comparison: ReportComparison | undefined
  search: RunSearch
  setSearch: (change: RunSearch) => void
}

/** The findings, grouped by area and severity, with filters that live in the address. */
export function Findings({ report, comparison, search, setSearch }: Props) {
  const { area, severity, q = '' } = search
  const [text, setText] = useState(q)
  const query = useDeferredValue(text)
  const change = comparison && changeKinds.find((kind) => kind === search.change)
  const listed = comparison && change ? comparison.findings[change] : report.findings
  const shown = useMemo(
    () => filterFindings(listed, { area, severity, q: query }),
    [listed, area, severity, query],
  )
  const rows = useMemo(() => groupFindings(shown), [shown])
  const { findings, findings_cut } = report.totals
  if (report.findings.length === 0 && !comparison?.findings.fixed.length) return <NothingFound />
  return (
    <section className="k-findings">
      <h2>
        Findings <span className="k-faint k-number">{formatCount(findings)}</span>
      </h2>
      {findings_cut > 0 && (
        <p className="k-notice">{`The ${formatCount(report.findings.length)} most severe are listed; ${formatCount(findings_cut)} more are counted in the scores.`}</p>
      )}
      <div className="k-findings__filters">
        <Search
          size="md"
          labelText="Search the findings"
          placeholder="File, rule or words"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onBlur={() => setSearch({ q: text === '' ? undefined : text })}
        />
        <Filters listed={listed} comparison={comparison} search={search} setSearch={setSearch} />
      </div>
      {change === 'fixed' && (
        <p className="k-faint">These were in the last report and are not in this one.</p>
      )}
      {rows.length === 0 ? (
        <EmptyState title="No finding fits">Take a filter away to see more.</EmptyState>
      ) : (
        <>
          <p className="k-faint k-number">
            {shown.length === report.findings.length && change === undefined
              ? ''
              : `${plural(shown.length, 'finding')} shown`}
          </p>
          <FindingRows
            key={change ?? 'all'}
            rows={rows}
            openId={search.finding}
            onOpen={(finding) => setSearch({ finding })}
          />
        </>
      )}
    </section>
  )
}

type FiltersProps = Omit<Props, 'report'> & { listed: readonly AnalysisFinding[] }

function Filters({ listed, comparison, search, setSearch }: FiltersProps) {
  return (
    <>
      <Chips
        label="Area"
        chosen={search.area}
        values={countBy(listed, 'area', reportAreas)}
        onPick={(value) => setSearch({ area: value })}
      />
      <Chips
        label="Severity"
        chosen={search.severity}
        values={countBy(listed, 'severity', severities)}
        onPick={(value) => setSearch({ severity: value })}
      />
      {comparison !== undefined && (
        <Chips
          label="Since the last run"
          chosen={search.change}
          values={changeKinds.map((kind) => ({ value: kind, count: comparison.findings[kind].length }))}
          onPick={(value) => setSearch({ change: value })}
        />
      )}
    </>
  )
}

function NothingFound() {
  return (
    <section className="k-findings">
      <h2>Findings</h2>
      <EmptyState title="Nothing found">
        None of the checks found a fault in what they looked at. What they did not look at is listed below.
      </EmptyState>
    </section>
  )
}

type ChipsProps = {
  label: string
  chosen: string | undefined
  values: readonly { value: string; count: number }[]
  onPick: (value: string | undefined) => void
}

function Chips({ label, chosen, values, onPick }: ChipsProps) {
  // A filter that nothing fits any more must still be there to be taken away.
  const isGone = chosen !== undefined && values.every(({ value }) => value !== chosen)
  const offered = isGone ? [...values, { value: chosen, count: 0 }] : values
  return (
    <fieldset className="k-facet">
      <legend className="k-hidden">{label}</legend>
      {offered.map(({ value, count }) => (
        <button
          key={value}
          type="button"
          className="k-chip"
          aria-pressed={value === chosen}
          onClick={() => onPick(value === chosen ? undefined : value)}
        >
          {value}
          <span className="k-chip__count">{formatCount(count)}</span>
        </button>
      ))}
    </fieldset>
  )
}

type RowsProps = {
  rows: readonly FindingRow[]
  openId: string | undefined
  onOpen: (id: string | undefined) => void
}

function FindingRows({ rows, openId, onOpen }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const [firstIndex] = useState(() => indexOfFinding(rows, openId))
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => estimatedRowPx,
    overscan: 10,
    initialOffset: firstIndex > 0 ? firstIndex * estimatedRowPx : 0,
    getItemKey: (index) => keyOf(rows[index], index),
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable without a mouse.
    <section className="k-scroll k-findings__rows" ref={scroller} tabIndex={0} aria-label="List of findings">
      <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }}>
        {virtualizer.getVirtualItems().map(({ index, start, key }) => {
          const row = rows[index]
          if (row === undefined) return null
          return (
            <div
              key={key}
              ref={virtualizer.measureElement}
              data-index={index}
              className="k-findings__row"
              style={{ transform: `translateY(${start}px)` }}
            >
              {row.kind === 'finding' ? (
                <FindingItem
                  finding={row.finding}
                  isOpen={row.finding.id === openId}
                  onToggle={() => onOpen(row.finding.id === openId ? undefined : row.finding.id)}
                />
              ) : (
                <GroupHeading row={row} />
              )}
            </div>
          )
        })}
      </div>
    </section>
  )
}

function indexOfFinding(rows: readonly FindingRow[], id: string | undefined): number {
  return rows.findIndex((row) => row.kind === 'finding' && row.finding.id === id)
}

function keyOf(row: FindingRow | undefined, index: number): string | number {
  if (row === undefined) return index
  if (row.kind === 'finding') return row.finding.id
  return row.kind === 'area' ? row.area : `${row.area} ${row.severity}`
}
