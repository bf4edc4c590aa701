import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, createRouter, redirect } from '@tanstack/react-router'
import { isUnauthorized } from './api/explain-error.ts'
import { jobQuery, statsQuery, userQuery } from './api/queries.ts'
import { Frame } from './frame/Frame.tsx'
import { lazyPart } from './frame/lazy-part.tsx'
import { LoadingPage, NotFoundPage, PageError } from './frame/PageFallbacks.tsx'
import { live } from './live/live.ts'

type Context = { queryClient: QueryClient }

const rootRoute = createRootRouteWithContext<Context>()({ notFoundComponent: NotFoundPage })

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: (search): { next?: string } => textField(search, 'next'),
  component: lazyPart(async () => (await import('./pages/sign-in/SignInPage.tsx')).SignInPage),
})

/** Everything behind the sign-in. The event stream begins where the numbers of the first answer end. */
const frameRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'frame',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(userQuery)
    } catch (error) {
      if (isUnauthorized(error)) throw redirect({ to: '/login', search: nextSearch(location.href) })
      throw error
    }
    const stats = await context.queryClient.ensureQueryData(statsQuery)
    live.start(stats.as_of_seq)
  },
  component: Frame,
})

const homeRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/',
  component: lazyPart(async () => (await import('./pages/home/HomePage.tsx')).HomePage),
})

const jobsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/jobs',
  validateSearch: (search): { q?: string } => textField(search, 'q'),
  component: lazyPart(async () => (await import('./pages/jobs/JobsPage.tsx')).JobsPage),
})

const newJobRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/jobs/new',
  validateSearch: (search): { workflow?: string; from?: string } => ({
    ...textField(search, 'workflow'),
    ...textField(search, 'from'),
  }),
  component: lazyPart(async () => (await import('./pages/new-job/NewJobPage.tsx')).NewJobPage),
})

/** A job is looked at through its latest run, which links to the earlier ones. */
const jobRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/jobs/$jobId',
  loader: async ({ params, context }) => {
    const job = await context.queryClient.fetchQuery(jobQuery(params.jobId))
    throw redirect({ to: '/runs/$runId', params: { runId: job.run_id }, replace: true })
  },
})

const runsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/runs',
  validateSearch: (search): { q?: string } => textField(search, 'q'),
  component: lazyPart(async () => (await import('./pages/runs/RunsPage.tsx')).RunsPage),
})

const runSearchFields = ['tab', 'step', 'at', 'q', 'area', 'severity', 'change', 'finding'] as const
export type RunSearch = { [F in (typeof runSearchFields)[number]]?: string }

const runRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/runs/$runId',
  validateSearch: (search): RunSearch =>
    Object.assign({}, ...runSearchFields.map((name) => textField(search, name))),
  component: lazyPart(async () => (await import('./pages/run/RunPage.tsx')).RunPage),
})

const pageRoutes = [homeRoute, jobsRoute, newJobRoute, jobRoute, runsRoute, runRoute]
const routeTree = rootRoute.addChildren([loginRoute, frameRoute.addChildren(pageRoutes)])

/** The site map. */
export function createConsoleRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: 'intent',
    defaultPreloadDelay: 80,
    scrollRestoration: true,
    defaultPendingComponent: LoadingPage,
    defaultPendingMs: 150,
    defaultErrorComponent: PageError,
    defaultNotFoundComponent: NotFoundPage,
    // Queries are text a person may have typed: readable in the address bar, numbers stay text.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: writeSearch,
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>
  }
}

function textField<N extends string>(search: Record<string, unknown>, name: N): { [K in N]?: string } {
  const value = search[name]
  const field: { [K in N]?: string } = {}
  return typeof value === 'string' && value !== '' ? { ...field, [name]: value } : field
}

function writeSearch(search: Record<string, unknown>): string {
  const fields = Object.entries(search).filter(([, value]) => typeof value === 'string' && value !== '')
  const text = new URLSearchParams(fields.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}

function nextSearch(href: string): { next?: string } {
  return href === '/' ? {} : { next: href }
}
