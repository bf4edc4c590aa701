type Props = { run: { type: string; version: string; definition: string } }

/** The workflow and its version; a job that waits for an agent has none yet. */
export function WorkflowName({ run: { type, version, definition } }: Props) {
  if (type === '') return <span className="k-faint">–</span>
  return (
    <span className="k-cut" title={`Definition ${definition}`}>
      {version === '' ? type : `${type}@${version}`}
    </span>
  )
}
