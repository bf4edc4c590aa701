import { Link } from '@tanstack/react-router'
import { Fragment } from 'react'

// Ids of people are written behind a colon (`user:…`); what stands alone is a run.
const runId = /(?<![:\w-])([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})/

/** A sentence of the server, in which each run leads to its page. */
export function LinkedText({ text }: { text: string }) {
  const parts = text.split(runId)
  return parts.map((part, index) => {
    // Every other part is what the expression caught.
    const key = `${index}`
    if (index % 2 === 0) return <Fragment key={key}>{part}</Fragment>
    return (
      <Link key={key} to="/runs/$runId" params={{ runId: part }} title={part}>
        {`…${part.slice(-8)}`}
      </Link>
    )
  })
}
