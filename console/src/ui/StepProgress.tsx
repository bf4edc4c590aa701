type Props = { completed: number; total: number; isRunning: boolean }

/** How many of the steps known so far are done. A workflow may add more, so this is no promise of an end. */
export function StepProgress({ completed, total, isRunning }: Props) {
  if (total === 0) return <span className="k-faint">–</span>
  const share = `${Math.round((completed / total) * 100)}%`
  return (
    <span className="k-progress" title={`${completed} of ${total} steps done`}>
      {isRunning && (
        <span className="k-progress__track" aria-hidden="true">
          <span className="k-progress__bar" style={{ inlineSize: share }} />
        </span>
      )}
      <span className="k-number">{`${completed}/${total}`}</span>
    </span>
  )
}
