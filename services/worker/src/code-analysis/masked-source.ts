import type { Syntax } from './languages.ts'

export type MaskedSource = {
  /** Comments replaced by spaces; every offset stays where it was. */
  readonly code: string
  /** Comments and the insides of strings replaced by spaces. */
  readonly bare: string
  readonly comments: readonly { readonly start: number; readonly end: number }[]
}

type Span = { readonly start: number; readonly end: number }

/**
 * Finds comments and strings well enough for pattern rules: not a parser, but a rule neither fires on prose nor
 * is hidden by a quote inside a comment.
 */
export function maskSource(text: string, syntax: Syntax, language: string): MaskedSource {
  if (syntax === 'none') return { code: text, bare: text, comments: [] }
  const comments: Span[] = []
  const strings: Span[] = []
  const marks = marksOf(syntax, language)
  let at = 0
  while (at < text.length) {
    marks.lastIndex = at
    const match = marks.exec(text)
    if (match === null) break
    const start = match.index
    const opening = match[0]
    const closing = closingOf(text, start, opening, syntax, language)
    if (closing === undefined) {
      at = start + opening.length
      continue
    }
    ;(closing.isComment ? comments : strings).push({ start, end: closing.end })
    at = Math.max(closing.end, start + 1)
  }
  const code = blank(text, comments, 0)
  return { code, bare: blank(code, strings, 1), comments }
}

function marksOf(syntax: Syntax, language: string): RegExp {
  switch (syntax) {
    case 'c':
      return language === 'PHP' ? /\/\/|\/\*|#(?!\[)|["'`]/g : /\/\/|\/\*|["'`]/g
    case 'python':
      return /#|"""|'''|["']/g
    case 'hash':
      return /(?<![^\s;(])#|["'`]/g
    case 'sql':
      return /--|\/\*|["']/g
    case 'markup':
      return /<!--/g
    case 'lisp':
      return /;|"/g
    case 'none':
      return /(?!)/g
  }
}

/** Where what `opening` began ends, or undefined when it began nothing (a lifetime, an apostrophe). */
function closingOf(
  text: string,
  start: number,
  opening: string,
  syntax: Syntax,
  language: string,
): { end: number; isComment: boolean } | undefined {
  const after = start + opening.length
  if (opening === '//' || opening === '#' || opening === '--' || opening === ';') {
    return { end: indexOrEnd(text, '\n', after, 0), isComment: true }
  }
  if (opening === '/*') return { end: indexOrEnd(text, '*/', after, 2), isComment: true }
  if (opening === '<!--') return { end: indexOrEnd(text, '-->', after, 3), isComment: true }
  if (opening.length === 3) return { end: indexOrEnd(text, opening, after, 3), isComment: false }
  const isMultiLine = opening === '`' && syntax === 'c'
  if (
    opening === "'" &&
    syntax === 'c' &&
    language !== 'JavaScript' &&
    language !== 'PHP' &&
    language !== 'TypeScript'
  ) {
    const literal = /'(?:\\[^\n]{1,9}?|[^\\'\n])'/y
    literal.lastIndex = start
    const found = literal.exec(text)
    return found === null ? undefined : { end: literal.lastIndex, isComment: false }
  }
  return endOfString(text, after, opening, isMultiLine)
}

function endOfString(
  text: string,
  from: number,
  quote: string,
  isMultiLine: boolean,
): { end: number; isComment: boolean } | undefined {
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (character === quote) return { end: at + 1, isComment: false }
    else if (character === '\n' && !isMultiLine) return undefined
  }
  return undefined
}

function indexOrEnd(text: string, wanted: string, from: number, length: number): number {
  const found = text.indexOf(wanted, from)
  return found === -1 ? text.length : found + length
}

/** Spaces over the spans, keeping line breaks and `edge` characters at both ends. */
function blank(text: string, spans: readonly Span[], edge: number): string {
  const parts: string[] = []
  let at = 0
  for (const span of spans) {
    const from = span.start + edge
    const to = Math.max(from, span.end - edge)
    parts.push(text.slice(at, from), text.slice(from, to).replace(/[^\n]/g, ' '))
    at = to
  }
  parts.push(text.slice(at))
  return parts.join('')
}
