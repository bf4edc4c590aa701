import { Button, SkeletonText } from '@carbon/react'
import type { ReactNode } from 'react'
import { explainError } from '../api/explain-error.ts'
import { CopyButton } from './CopyButton.tsx'

type EmptyProps = { title: string; children: ReactNode; action?: ReactNode }

/** What this place is for, and the one action that fills it. */
export function EmptyState({ title, children, action }: EmptyProps) {
  return (
    <div className="k-empty">
      <h2 className="k-empty__title">{title}</h2>
      <p className="k-empty__text">{children}</p>
      {action !== undefined && <div className="k-empty__action">{action}</div>}
    </div>
  )
}

type ErrorProps = { error: unknown; onRetry?: (() => void) | undefined; isCompact?: boolean }

/** What happened, the number to ask about, and a way to try again. */
export function ErrorState({ error, onRetry, isCompact = false }: ErrorProps) {
  const { title, detail, requestId } = explainError(error)
  return (
    <div className={isCompact ? 'k-error k-error--compact' : 'k-error'} role="alert">
      <h2 className="k-error__title">{title}</h2>
      <p className="k-error__detail">{detail}</p>
      {requestId !== undefined && (
        <p className="k-error__request">
          Request <code>{requestId}</code> <CopyButton text={requestId} label="Copy the request id" />
        </p>
      )}
      {onRetry !== undefined && (
        <Button kind="tertiary" size="sm" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** Lines in the place where a text or a list will be. */
export function LoadingLines({ lines = 4, label }: { lines?: number; label: string }) {
  return (
    <div className="k-loading" role="status" aria-label={label}>
      <SkeletonText paragraph lineCount={lines} />
    </div>
  )
}
