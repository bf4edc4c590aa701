// biome-ignore-all lint/a11y/noNoninteractiveElementToInteractiveRole: a combobox and its listbox, as the ARIA practices draw them.
import Search from '@carbon/icons-react/es/Search.js'
import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { type KeyboardEvent, useDeferredValue, useState } from 'react'
import { workflowTypesQuery } from '../api/queries.ts'
import { useRights } from '../api/useRights.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { words } from '../ui/StatusLabel.tsx'
import { type Found, findByText, pages } from './find-anything.ts'

/** Goes to any page, starts any workflow, finds any job or run. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('')
  const [index, setIndex] = useState(0)
  const router = useRouter()
  const { found, isSearching } = useFound(text.trim())
  const chosen = found[Math.min(index, found.length - 1)]
  const go = (target: Found | undefined) => {
    if (target === undefined) return
    onClose()
    void router.navigate({ href: target.href })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setIndex((index + step + found.length) % Math.max(1, found.length))
    } else if (event.key === 'Enter') go(chosen)
  }
  return (
    <Dialog label="Go to anything" className="k-palette" onClose={onClose}>
      <div className="k-palette__field">
        <Search size={20} aria-hidden="true" />
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={chosen === undefined ? undefined : `palette-${chosen.key}`}
          aria-label="Page, workflow, job or run"
          placeholder="Page, workflow, job title or id"
          value={text}
          maxLength={200}
          onKeyDown={onKeyDown}
          onChange={(event) => {
            setText(event.target.value)
            setIndex(0)
          }}
        />
      </div>
      <ul className="k-palette__list" id="palette-list" role="listbox" aria-label="Found">
        {found.map((item) => (
          <PaletteItem key={item.key} item={item} isChosen={item === chosen} onGo={() => go(item)} />
        ))}
      </ul>
      {found.length === 0 && (
        <p className="k-palette__none">{isSearching ? 'Searching…' : `Nothing is called “${text}”.`}</p>
      )}
    </Dialog>
  )
}

function PaletteItem({ item, isChosen, onGo }: { item: Found; isChosen: boolean; onGo: () => void }) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled by the field, which keeps the focus.
    // biome-ignore lint/a11y/useFocusableInteractive: in a listbox the field points at the active option.
    <li
      id={`palette-${item.key}`}
      role="option"
      aria-selected={isChosen}
      className="k-palette__item"
      onClick={onGo}
    >
      <span className="k-palette__kind">{item.kind === 'workflow' ? 'new job' : item.kind}</span>
      <span className="k-palette__title">{item.title}</span>
      <span className="k-palette__detail">{words(item.detail)}</span>
    </li>
  )
}

function useFound(text: string): { found: Found[]; isSearching: boolean } {
  const query = useDeferredValue(text)
  const { data: types } = useQuery(workflowTypesQuery)
  const search = useQuery({
    queryKey: ['find', query],
    queryFn: ({ signal }) => findByText(query, signal),
    enabled: query.length >= 2,
  })
  const workflows = (types ?? []).map(({ name, title, description }): Found => {
    return { key: name, kind: 'workflow', title, detail: description, href: `/jobs/new?workflow=${name}` }
  })
  const lower = text.toLowerCase()
  const { mayCreate } = useRights()
  const local = [...pages, ...workflows]
    .filter(({ href }) => mayCreate || !href.startsWith('/jobs/new'))
    .filter(({ title, detail }) => `${title} ${detail}`.toLowerCase().includes(lower))
    // What is called so comes before what only speaks of it: Enter takes the first.
    .sort((a, b) => Number(isCalled(b, lower)) - Number(isCalled(a, lower)))
  return {
    found: [...local, ...(query.length >= 2 ? (search.data ?? []) : [])],
    isSearching: search.isFetching,
  }
}

function isCalled({ title }: Found, lower: string): boolean {
  return title.toLowerCase().startsWith(lower)
}
