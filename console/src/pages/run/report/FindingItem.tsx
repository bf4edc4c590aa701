import ChevronRight from '@carbon/icons-react/es/ChevronRight.js'
import type { AnalysisFinding } from '@kyros/contract/analysis-report'
import { formatCount } from '../../../format/quantity.ts'
import { CopyButton } from '../../../ui/CopyButton.tsx'
import type { FindingRow } from './report-model.ts'

type Heading = Exclude<FindingRow, { kind: 'finding' }>

export function GroupHeading({ row }: { row: Heading }) {
  const count = <span className="k-faint k-number">{formatCount(row.count)}</span>
  if (row.kind === 'area') {
    return (
      <h3 className="k-findings__area">
        {row.area} {count}
      </h3>
    )
  }
  return (
    <h4 className="k-findings__severity">
      <SeverityMark severity={row.severity} /> {count}
    </h4>
  )
}

function SeverityMark({ severity }: { severity: AnalysisFinding['severity'] }) {
  return <span className={`k-severity k-severity--${severity}`}>{severity}</span>
}

type Props = { finding: AnalysisFinding; isOpen: boolean; onToggle: () => void }

export function FindingItem({ finding, isOpen, onToggle }: Props) {
  const place = `${finding.file}:${finding.line}`
  return (
    <div className={isOpen ? 'k-finding k-finding--open' : 'k-finding'}>
      <button type="button" className="k-finding__row" aria-expanded={isOpen} onClick={onToggle}>
        <ChevronRight size={16} aria-hidden="true" className="k-finding__chevron" />
        <span className="k-finding__title">{finding.title}</span>
        <span className="k-finding__place" title={place}>
          {/* The end of a path tells files apart, so that the beginning is what gives way. */}
          <bdi>{place}</bdi>
        </span>
      </button>
      {isOpen && <FindingDetail finding={finding} place={place} />}
    </div>
  )
}

function FindingDetail({ finding, place }: { finding: AnalysisFinding; place: string }) {
  return (
    <div className="k-finding__detail">
      <p>{finding.message}</p>
      <p className="k-finding__file">
        <code>{place}</code>
        <CopyButton text={place} label="Copy file and line" />
        <span className="k-faint">{finding.rule}</span>
      </p>
      <Snippet finding={finding} />
      <p>
        <strong>What to do:</strong> {finding.fix_hint}
      </p>
    </div>
  )
}

function Snippet({ finding: { snippet, line, end_line } }: { finding: AnalysisFinding }) {
  if (snippet.lines.length === 0) return null
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable without a mouse.
    <pre className="k-snippet" tabIndex={0}>
      {snippet.lines.map((text, index) => {
        const number = snippet.start_line + index
        const isMeant = number >= line && number <= (end_line ?? line)
        return (
          <span
            key={number}
            className={isMeant ? 'k-snippet__line k-snippet__line--meant' : 'k-snippet__line'}
          >
            <span className="k-snippet__number">{number}</span>
            <span className="k-snippet__text">{text}</span>
            {'\n'}
          </span>
        )
      })}
    </pre>
  )
}
