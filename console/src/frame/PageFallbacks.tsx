import { Button } from '@carbon/react'
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router'
import { EmptyState, ErrorState, LoadingLines } from '../ui/PageState.tsx'

export function LoadingPage() {
  return (
    <div className="k-page">
      <LoadingLines lines={6} label="Loading the page" />
    </div>
  )
}

/** Drawn without the frame: nobody needs to be signed in to have mistyped an address. */
export function NotFoundPage() {
  return (
    <main className="k-page">
      <EmptyState title="There is no such page" action={<Link to="/">Go to Home</Link>}>
        The address may be old or mistyped.
      </EmptyState>
    </main>
  )
}

export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = () => {
    reset()
    void router.invalidate()
  }
  return (
    <div className="k-page">
      <ErrorState error={error} onRetry={retry} />
      <Button kind="ghost" size="sm" onClick={() => location.reload()}>
        Reload the console
      </Button>
    </div>
  )
}
