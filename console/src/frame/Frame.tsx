import Add from '@carbon/icons-react/es/Add.js'
import Close from '@carbon/icons-react/es/Close.js'
import Flow from '@carbon/icons-react/es/Flow.js'
import Home from '@carbon/icons-react/es/Home.js'
import Menu from '@carbon/icons-react/es/Menu.js'
import Search from '@carbon/icons-react/es/Search.js'
import Task from '@carbon/icons-react/es/Task.js'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { Suspense, useEffect, useState } from 'react'
import { useRights } from '../api/useRights.ts'
import { pauseWhileHidden } from '../live/live.ts'
import { Toasts } from '../ui/toasts.tsx'
import { AccountMenu } from './AccountMenu.tsx'
import { LiveIndicator, StaleBanner } from './LiveIndicator.tsx'
import { lazyPart, preloadParts } from './lazy-part.tsx'
import { ShortcutHelp } from './ShortcutHelp.tsx'
import { useShortcut } from './shortcuts.ts'

const CommandPalette = lazyPart(async () => (await import('./CommandPalette.tsx')).CommandPalette)

const entries = [
  { to: '/', label: 'Home', icon: Home },
  { to: '/jobs', label: 'Jobs', icon: Task },
  { to: '/runs', label: 'Runs', icon: Flow },
] as const

type Overlay = 'none' | 'palette' | 'help'

/** What is around every page: navigation, search, whether the picture is live, and the account. */
export function Frame() {
  const [overlay, setOverlay] = useState<Overlay>('none')
  const [isNavOpen, setNavOpen] = useState(false)
  const { pathname } = useLocation()
  const navigate = useNavigate()
  const close = () => setOverlay('none')
  useEffect(pauseWhileHidden, [])
  useEffect(preloadWhenIdle, [])
  // The folded navigation closes when it has done its work.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what the effect waits for.
  useEffect(() => setNavOpen(false), [pathname])
  useShortcut('Ctrl+K', 'Go to anything', () => setOverlay('palette'))
  useShortcut('?', 'Show the keys of this page', () => setOverlay('help'))
  const { mayCreate } = useRights()
  useShortcut('n', 'New job', () => mayCreate && void navigate({ to: '/jobs/new' }))
  return (
    <div className="k-frame">
      <a className="k-skip" href="#page">
        Skip to the page
      </a>
      <header className="k-header">
        <button
          type="button"
          className="k-header__action k-header__menu"
          aria-label={isNavOpen ? 'Close the navigation' : 'Open the navigation'}
          aria-expanded={isNavOpen}
          onClick={() => setNavOpen(!isNavOpen)}
        >
          {isNavOpen ? <Close size={20} /> : <Menu size={20} />}
        </button>
        <Link to="/" className="k-header__name">
          <img src="/favicon.svg" alt="" width="24" height="24" />
          Kyros
        </Link>
        <button type="button" className="k-header__search" onClick={() => setOverlay('palette')}>
          <Search size={16} aria-hidden="true" />
          <span>Go to anything</span>
          <kbd>Ctrl K</kbd>
        </button>
        <div className="k-header__end">
          <LiveIndicator />
          <AccountMenu />
        </div>
      </header>
      <Navigation isOpen={isNavOpen} onClose={() => setNavOpen(false)} />
      <main className="k-main" id="page" tabIndex={-1}>
        <StaleBanner />
        <Outlet />
      </main>
      <Toasts />
      <Suspense>{overlay === 'palette' && <CommandPalette onClose={close} />}</Suspense>
      {overlay === 'help' && <ShortcutHelp onClose={close} />}
    </div>
  )
}

const preloadAfterMs = 1_500

/** Once the first page stands, fetches the code of the others; answers a function that calls it off. */
function preloadWhenIdle(): () => void {
  const timer = setTimeout(() => void preloadParts(), preloadAfterMs)
  return () => clearTimeout(timer)
}

function Navigation({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { mayCreate } = useRights()
  return (
    <>
      {isOpen && <div className="k-nav__scrim" onClick={onClose} aria-hidden="true" />}
      <nav className={isOpen ? 'k-nav k-nav--open' : 'k-nav'} aria-label="Pages">
        {entries.map(({ to, label, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            className="k-nav__link"
            activeOptions={{ exact: to !== '/runs', includeSearch: false }}
          >
            <Icon size={16} aria-hidden="true" />
            {label}
          </Link>
        ))}
        {mayCreate && (
          <Link to="/jobs/new" className="k-nav__new">
            <Add size={16} aria-hidden="true" />
            New job
          </Link>
        )}
        <div className="k-nav__foot">
          <a href="/docs" target="_blank" rel="noreferrer">
            API reference
          </a>
        </div>
      </nav>
    </>
  )
}
