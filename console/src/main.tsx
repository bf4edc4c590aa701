import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { isUnauthorized } from './api/explain-error.ts'
import { applyTheme } from './frame/theme.ts'
import { live } from './live/live.ts'
import { createConsoleRouter } from './router.tsx'
import './styles/console.scss'

applyTheme()

const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: leaveWhenSignedOut }),
  defaultOptions: {
    // The client itself repeats what is safe to repeat.
    queries: { retry: false, staleTime: 5_000, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
})
const router = createConsoleRouter(queryClient)

/** The session ended while a page was open: sign in, then come back to the same place. */
function leaveWhenSignedOut(error: unknown) {
  if (!isUnauthorized(error) || router.state.location.pathname === '/login') return
  const next = router.state.location.href
  live.stop()
  queryClient.clear()
  void router.navigate({ to: '/login', search: { next } })
}

// What happened while the numbers asked for were no longer kept is unknown: everything is read again.
live.listen((message) => {
  if (message.kind === 'reset') void queryClient.invalidateQueries()
})

// What could not be read while there was no connection is read as soon as there is one.
let wasOffline = false
live.subscribe(() => {
  const { kind } = live.state()
  if (wasOffline && kind !== 'offline') {
    void queryClient.refetchQueries({ predicate: ({ state }) => state.status === 'error' })
  }
  wasOffline = kind === 'offline'
})

const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  )
}
