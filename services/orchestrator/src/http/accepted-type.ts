/**
 * Which of `offered` the caller likes best (RFC 9110 12.5.1); undefined when none. Without the header, or when
 * several are liked equally, the first one offered wins.
 */
export function acceptedType<const T extends string>(
  header: string | undefined,
  offered: readonly T[],
): T | undefined {
  const ranges = parseAccept(header ?? '*/*')
  let best: { type: T; quality: number } | undefined
  for (const type of offered) {
    const quality = qualityOf(type, ranges)
    if (quality > 0 && (best === undefined || quality > best.quality)) best = { type, quality }
  }
  return best?.type
}

/** True for a browser that navigates: it names `text/html`, which API clients do not. */
export function asksForHtml(header: string | undefined): boolean {
  if (header === undefined || !header.includes('text/html')) return false
  return acceptedType(header, ['text/html', 'application/json', 'text/event-stream']) === 'text/html'
}

type Range = { type: string; quality: number }

// A header of any length may come; what is looked at is bounded.
const maxRanges = 32

function parseAccept(header: string): Range[] {
  const ranges: Range[] = []
  for (const part of header.split(',', maxRanges)) {
    const [type, ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    if (type === undefined || type === '') continue
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    ranges.push({ type, quality: Number.isFinite(quality) ? quality : 0 })
  }
  return ranges
}

/** The most specific range decides, as the standard says: a refusal of HTML wins over a wildcard. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const group = `${type.slice(0, type.indexOf('/'))}/*`
  for (const wanted of [type, group, '*/*']) {
    const range = ranges.find((candidate) => candidate.type === wanted)
    if (range !== undefined) return range.quality
  }
  return 0
}
