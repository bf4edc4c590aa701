const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}

/**
 * HTML of the part of Markdown that this project's own pages use: headings, paragraphs, lists, tables, fenced
 * code, inline code, strong words and links. Everything else stays text, and nothing gets through unescaped.
 */
export function markdownToHtml(markdown: string): string {
  const lines = markdown.replaceAll('\r', '').split('\n')
  const html: string[] = []
  for (let at = 0; at < lines.length; ) {
    const block = readBlock(lines, at)
    if (block.html !== '') html.push(block.html)
    at = block.end
  }
  return html.join('\n')
}

type Block = { html: string; end: number }

function readBlock(lines: readonly string[], at: number): Block {
  const line = lines[at] ?? ''
  if (line.trim() === '') return { html: '', end: at + 1 }
  if (line.startsWith('```')) return readCode(lines, at)
  const heading = /^(#{1,4}) (.+)$/.exec(line)
  if (heading?.[1] && heading[2]) {
    const level = heading[1].length
    return { html: `<h${level} id="${slug(heading[2])}">${inline(heading[2])}</h${level}>`, end: at + 1 }
  }
  if (line.startsWith('| ') && (lines[at + 1] ?? '').startsWith('|-')) return readTable(lines, at)
  const marker = listMarker(line)
  if (marker !== undefined) return readList(lines, at, marker)
  const end = endOf(lines, at, (next) => next.trim() !== '' && !startsBlock(next))
  return { html: `<p>${inline(lines.slice(at, end).join(' '))}</p>`, end }
}

function readCode(lines: readonly string[], at: number): Block {
  const end = endOf(lines, at, (next) => !next.startsWith('```'))
  const code = lines.slice(at + 1, end).join('\n')
  return { html: `<pre tabindex="0"><code>${escapeHtml(code)}</code></pre>`, end: end + 1 }
}

function readList(lines: readonly string[], at: number, marker: 'ul' | 'ol'): Block {
  const end = endOf(lines, at, (next) => listMarker(next) === marker || /^\s+\S/.test(next))
  const items: string[] = []
  for (const line of lines.slice(at, end)) {
    if (listMarker(line) === marker) items.push(line.replace(/^(-|\d+\.) /, ''))
    else items.push(`${items.pop() ?? ''} ${line.trim()}`)
  }
  const html = items.map((item) => `<li>${inline(item)}</li>`).join('')
  return { html: `<${marker}>${html}</${marker}>`, end }
}

function readTable(lines: readonly string[], at: number): Block {
  const end = endOf(lines, at, (next) => next.startsWith('|'))
  const [head = '', , ...rows] = lines.slice(at, end)
  const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')
  return { html: `<table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${body}</tbody></table>`, end }
}

function cells(row: string, tag: 'td' | 'th'): string {
  const texts = row
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split('|')
  return texts.map((text) => `<${tag}>${inline(text.trim())}</${tag}>`).join('')
}

function endOf(lines: readonly string[], at: number, belongs: (line: string) => boolean): number {
  let end = at + 1
  while (end < lines.length && belongs(lines[end] ?? '')) end++
  return end
}

function listMarker(line: string): 'ul' | 'ol' | undefined {
  if (line.startsWith('- ')) return 'ul'
  return /^\d+\. /.test(line) ? 'ol' : undefined
}

function startsBlock(line: string): boolean {
  return /^(```|#{1,4} |\| )/.test(line) || listMarker(line) !== undefined
}

/** Code is cut out first: nothing inside it is read as anything else. */
function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.length > 2 && part.startsWith('`') && part.endsWith('`')
        ? `<code>${escapeHtml(part.slice(1, -1))}</code>`
        : words(escapeHtml(part)),
    )
    .join('')
}

function words(escaped: string): string {
  return escaped
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/\[([^\]]+)\]\(((?:https?:\/\/|\/|#|\.\/)[^)\s]*)\)/g, '<a href="$2">$1</a>')
}

function slug(heading: string): string {
  return heading.toLowerCase().replace(/[^a-z0-9]+/g, '-')
}
