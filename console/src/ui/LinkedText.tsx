import { Link } from '@tanstack/react-router'
import { Fragment } from 'react'
import { formatExact, formatMoment } from '../format/relative-time.ts'
import { ActorName } from './ActorName.tsx'

const id = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}'
const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z'
// Ids of people are written behind `user:`; an id that stands alone is that of a run.
const known = new RegExp(`(user:${id}|(?<![:\\w-])${id}|${time})`)

/** A sentence of the server, with times and people as people say them, and each run leading to its page. */
export function LinkedText({ text }: { text: string }) {
  return text.split(known).map((part, index) => {
    const key = `${index}`
    // Every other part is what the expression caught.
    return index % 2 === 0 ? <Fragment key={key}>{part}</Fragment> : <Known key={key} part={part} />
  })
}

function Known({ part }: { part: string }) {
  if (part.startsWith('user:')) return <ActorName actor={part} />
  if (part.endsWith('Z')) {
    return (
      <time className="k-number" dateTime={part} title={formatExact(part)}>
        {formatMoment(part, Date.now())}
      </time>
    )
  }
  return (
    <Link to="/runs/$runId" params={{ runId: part }} title={part}>
      {`…${part.slice(-8)}`}
    </Link>
  )
}
