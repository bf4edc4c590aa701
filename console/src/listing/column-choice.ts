import { useState } from 'react'
import type { Column } from '../ui/VirtualTable.tsx'

type Choosable = Pick<Column<never>, 'key' | 'isExtra'>

/**
 * The columns that are shown: those that were chosen, or all but the extra ones when nothing was. The first names the
 * row and is always there; what was chosen and exists no more is passed over.
 */
export function chosenColumns<C extends Choosable>(columns: readonly C[], stored: string | null): C[] {
  const keys = stored?.split(',')
  return columns.filter(({ key, isExtra }, index) => index === 0 || (keys?.includes(key) ?? !isExtra))
}

/** Which columns of a list are shown, remembered in this browser. */
export function useColumnChoice<C extends Choosable>(noun: string, columns: readonly C[]) {
  const storageKey = `kyros.columns.${noun}`
  const [stored, setStored] = useState(() => localStorage.getItem(storageKey))
  const shown = chosenColumns(columns, stored)
  const keep = (next: string | null) => {
    if (next === null) localStorage.removeItem(storageKey)
    else localStorage.setItem(storageKey, next)
    setStored(next)
  }
  const toggle = (key: string) => {
    const keys = shown.map((column) => column.key)
    keep((keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key]).join(','))
  }
  return { shown, toggle, reset: () => keep(null) }
}
