import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

type Tab = { id: string; label: string; count?: number | undefined }
type Props = { label: string; tabs: readonly Tab[]; current: string }

/** The parts of a page. They are links in all but name: each has its own address. */
export function TabLinks({ label, tabs, current }: Props) {
  const nav = useRef<HTMLElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the effect waits for another tab.
  useEffect(() => {
    // On a narrow screen the row of tabs scrolls, and a link may lead to its end.
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [current])
  return (
    <nav className="k-tabs" aria-label={label} ref={nav}>
      {tabs.map(({ id, label: text, count }) => (
        <Link
          key={id}
          to="."
          search={(before: Record<string, unknown>) => ({ ...before, tab: id, step: undefined })}
          className={id === current ? 'k-tabs__tab k-tabs__tab--on' : 'k-tabs__tab'}
          aria-current={id === current ? 'page' : undefined}
          activeProps={{}}
          replace
        >
          {text}
          {count !== undefined && <span className="k-tabs__count">{count}</span>}
        </Link>
      ))}
    </nav>
  )
}
