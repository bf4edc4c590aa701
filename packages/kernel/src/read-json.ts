import { type ProblemError, problem } from '@kyros/contract/problem'

const maxDepth = 100

/**
 * Parses a JSON body. Bounded in depth, because code that walks it is recursive; `__proto__` is refused, and so are
 * numbers beyond the range of doubles: in memory they would be Infinity, and written down again null.
 */
export function readJson(text: string): unknown {
  if (text.length > 2 * maxDepth && deeperThan(text, maxDepth)) {
    throw problem('request_malformed', { detail: `The JSON is nested deeper than ${maxDepth} levels.` })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw malformed(error)
  }
  // The escape can also be written with \u005f, so the text is only a hint to look closer.
  if (/__proto__|\\u005f/i.test(text) && hasOwnProto(value)) {
    throw problem('request_malformed', {
      detail: 'The field "__proto__" is not allowed anywhere in the body.',
    })
  }
  if (/\d[eE]\+?\d{2}|\d{300}/.test(text) && hasInfinity(value)) {
    throw problem('request_malformed', {
      detail: 'A number in the body is too large: beyond about 1.8e308 there are none. Send it as text.',
    })
  }
  return value
}

function malformed(error: unknown): ProblemError {
  // The engine's sentence names the position or quotes the place; it goes to the sender alone, who wrote it.
  const reason = error instanceof Error ? error.message : 'it cannot be parsed'
  return problem('request_malformed', { detail: `The body is not valid JSON: ${reason.slice(0, 200)}` })
}

function deeperThan(text: string, limit: number): boolean {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 0x5c) index++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x7b || code === 0x5b) {
      depth++
      if (depth > limit) return true
    } else if (code === 0x7d || code === 0x5d) depth--
  }
  return false
}

function hasOwnProto(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Object.hasOwn(value, '__proto__')) return true
  return Object.values(value).some(hasOwnProto)
}

function hasInfinity(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(hasInfinity)
}
