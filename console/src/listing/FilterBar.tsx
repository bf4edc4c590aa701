import { Search } from '@carbon/react'
import { type ReactNode, useEffect, useState } from 'react'
import { useShortcut } from '../frame/shortcuts.ts'
import { type FilterKey, type ListQuery, withTerm } from './query-language.ts'

/** Values one can click instead of typing. */
export type Facet = { key: FilterKey; label: string; values: readonly FacetValue[] }
export type FacetValue = { value: string; label: string; count?: number | undefined }

type Props = {
  query: string
  parsed: ListQuery
  facets: readonly Facet[]
  placeholder: string
  onChange: (query: string) => void
  children?: ReactNode
}

const typingPauseMs = 250

export function FilterBar({ query, parsed, facets, placeholder, onChange, children }: Props) {
  const [text, setText] = useTypedText(query, onChange)
  useShortcut('/', 'Filter this list', () => document.getElementById('list-filter')?.focus())
  return (
    <div className="k-filter">
      <Search
        id="list-filter"
        size="md"
        labelText="Filter"
        placeholder={placeholder}
        value={text}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onClear={() => onChange('')}
        onKeyDown={(event) =>
          event.key === 'Escape' && event.currentTarget instanceof HTMLElement && blurActive()
        }
      />
      {parsed.problems.map((problem) => (
        <p key={problem} className="k-filter__problem" role="alert">
          {problem}
        </p>
      ))}
      <div className="k-filter__facets">
        {facets.map((facet) => (
          <FacetGroup
            key={facet.key}
            facet={facet}
            chosen={parsed.terms[facet.key]}
            query={query}
            onChange={onChange}
          />
        ))}
      </div>
      {children}
    </div>
  )
}

type GroupProps = {
  facet: Facet
  chosen: string | undefined
  query: string
  onChange: (query: string) => void
}

function FacetGroup({ facet, chosen, query, onChange }: GroupProps) {
  return (
    <fieldset className="k-facet">
      <legend className="k-hidden">{facet.label}</legend>
      {facet.values.map(({ value, label, count }) => (
        <button
          key={value}
          type="button"
          className="k-chip"
          aria-pressed={value === chosen}
          onClick={() => onChange(withTerm(query, facet.key, value === chosen ? undefined : value))}
        >
          {label}
          {count !== undefined && <span className="k-chip__count">{count}</span>}
        </button>
      ))}
    </fieldset>
  )
}

/** What is typed at once, what it means after a pause; a link or a chip that changes the query wins. */
function useTypedText(query: string, onChange: (query: string) => void) {
  const [typed, setTyped] = useState({ text: query, basis: query })
  const text = typed.basis === query ? typed.text : query
  useEffect(() => {
    if (text === query) return
    const timer = setTimeout(() => onChange(text.trim()), typingPauseMs)
    return () => clearTimeout(timer)
  }, [text, query, onChange])
  const setText = (next: string) => setTyped({ text: next, basis: query })
  return [text, setText] as const
}

function blurActive() {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
}
