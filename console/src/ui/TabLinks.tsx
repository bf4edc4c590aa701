import { Link } from '@tanstack/react-router'

type Tab = { id: string; label: string; count?: number | undefined }
type Props = { label: string; tabs: readonly Tab[]; current: string }

/** The parts of a page. They are links in all but name: each has its own address. */
export function TabLinks({ label, tabs, current }: Props) {
  return (
    <nav className="k-tabs" aria-label={label}>
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
