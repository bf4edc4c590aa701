import { useEffect, useRef, useState } from 'react'
import type { RunSearch } from '../../../router.tsx'

/** A slider moves faster than browsers let an address change. */
const writeAfterMs = 250

export type Moment = {
  /** After how many events of the run it is shown; undefined: now. */
  at: number | undefined
  moveTo: (at: number | undefined) => void
}

/** The moment at which the run is looked at: kept in the address, ahead of it while the slider moves. */
export function useMoment(search: RunSearch, setSearch: (change: RunSearch) => void): Moment {
  const written = search.at !== undefined && /^[1-9]\d{0,8}$/.test(search.at) ? Number(search.at) : undefined
  const [ahead, setAhead] = useState<{ at: number | undefined } | undefined>(undefined)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  useEffect(() => {
    setAhead((before) => (before?.at === written ? undefined : before))
  }, [written])
  return {
    at: ahead === undefined ? written : ahead.at,
    moveTo: (at) => {
      setAhead(at === written ? undefined : { at })
      clearTimeout(timer.current)
      timer.current = setTimeout(
        () => setSearch({ at: at === undefined ? undefined : String(at) }),
        writeAfterMs,
      )
    },
  }
}
