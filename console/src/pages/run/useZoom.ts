import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

export const maxZoom = 16
/** How far the wheel has to turn to double the picture. */
const wheelPxPerDoubling = 300
/** Nearer to the end than this counts as at the end. */
const endPx = 24

type Zoom = {
  window: RefObject<HTMLDivElement | null>
  /** How many times wider than its window the picture is. */
  zoom: number
  /** Multiplies the zoom around the middle of the window; what is in the middle stays there. */
  zoomBy: (factor: number) => void
  fit: () => void
}

/**
 * Zooms what scrolls sideways in `window`: by buttons, and by the wheel with Ctrl or Command around the pointer.
 * `labelPx` is how much of the window's left does not scroll. While `isLive` and at its end, it stays at the end.
 */
export function useZoom(isLive: boolean, labelPx: (window: HTMLElement) => number): Zoom {
  const window = useRef<HTMLDivElement>(null)
  const [zoom, setZoom] = useState(1)
  const anchor = useRef<{ share: number; atPx: number } | undefined>(undefined)
  const isAtEnd = useRef(true)

  const change = useCallback(
    (factor: number, clientX?: number) => {
      const element = window.current
      if (element === null) return
      const label = labelPx(element)
      const middle = (element.clientWidth + label) / 2
      const atPx = clientX === undefined ? middle : clientX - element.getBoundingClientRect().left
      const share = (element.scrollLeft + atPx - label) / (element.scrollWidth - label)
      anchor.current = { share: Math.min(1, Math.max(0, share)), atPx }
      setZoom((before) => Math.min(maxZoom, Math.max(1, before * factor)))
    },
    [labelPx],
  )

  useEffect(() => {
    const element = window.current
    if (element === null) return
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return
      // The browser would zoom the whole page.
      event.preventDefault()
      change(2 ** (-event.deltaY / wheelPxPerDoubling), event.clientX)
    }
    const onScroll = () => {
      isAtEnd.current = element.scrollLeft + element.clientWidth >= element.scrollWidth - endPx
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    element.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      element.removeEventListener('wheel', onWheel)
      element.removeEventListener('scroll', onScroll)
    }
  }, [change])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the effect waits for another zoom.
  useLayoutEffect(() => {
    const element = window.current
    if (element === null || anchor.current === undefined) return
    const { share, atPx } = anchor.current
    const label = labelPx(element)
    element.scrollLeft = share * (element.scrollWidth - label) - atPx + label
    anchor.current = undefined
  }, [zoom])
  useLayoutEffect(() => {
    if (isLive && isAtEnd.current && window.current !== null) {
      window.current.scrollLeft = window.current.scrollWidth
    }
  })
  return { window, zoom, zoomBy: change, fit: () => setZoom(1) }
}
