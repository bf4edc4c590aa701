import { type ReactNode, useEffect } from 'react'

type Props = { title: string; lead?: ReactNode; children?: ReactNode }

/** The name of a page, its sentence, and at most one primary action. Also names the tab. */
export function PageHead({ title, lead, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Kyros`
  }, [title])
  return (
    <div className="k-page-head">
      <div>
        <h1>{title}</h1>
        {lead !== undefined && <p className="k-page-head__lead">{lead}</p>}
      </div>
      <div className="k-page-head__actions">{children}</div>
    </div>
  )
}
