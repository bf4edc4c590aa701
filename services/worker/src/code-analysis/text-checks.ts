import type { Analyzer } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'

/** Checks that need no knowledge of the language beyond its comments. */
export function textChecks(): Analyzer {
  let todos = 0
  return {
    name: 'kyros-text',
    version: '1',
    file(file) {
      if (file.file.role === 'vendored' || file.file.role === 'lock') return false
      mergeConflicts(file)
      if (file.file.role === 'generated') return true
      if (file.file.is_code) todos += todoNotes(file)
      if (/\.json$/.test(file.file.path) && file.isProduct) invalidJson(file)
      return true
    },
    metrics: () => ({ todo_notes: todos }),
  }
}

function todoNotes(file: FileUnderAnalysis): number {
  let count = 0
  for (const comment of file.masked.comments) {
    const text = file.text.slice(comment.start, comment.end)
    for (const match of text.matchAll(/\b(TODO|FIXME|HACK|XXX)\b(?!["'`])[^\n]*/g)) {
      // Only where a note begins: "the TODO list" in a sentence is not one.
      const before = text.slice(0, match.index).split('\n').at(-1) ?? ''
      if (!/^[\s/*#;!<>@-]*(?:\w+:\s*)?$/.test(before)) continue
      count++
      const note = match[0]
        .replace(/\s*(?:\*\/|-->)\s*$/, '')
        .trim()
        .slice(0, 160)
      const severity = match[1] === 'FIXME' || match[1] === 'HACK' ? 'low' : 'info'
      file.report('static/todo', { start: comment.start + match.index }, note, { severity })
    }
  }
  return count
}

function mergeConflicts(file: FileUnderAnalysis): void {
  if (!file.text.includes('<<<<<<< ')) return
  const pattern =
    /^<<<<<<< .+\n(?:(?!>>>>>>> |<<<<<<< ).*\n)*?=======\n(?:(?!>>>>>>> |<<<<<<< ).*\n)*?>>>>>>> .+/gm
  if (file.file.language === 'Markdown' || file.file.role === 'test') return
  for (const match of file.text.matchAll(pattern)) {
    file.report(
      'static/merge-conflict',
      { start: match.index },
      'Both sides of a merge are still in the file.',
    )
  }
}

/** Files that are JSON by name but allow comments by custom. */
const commentedJson =
  /(^|\/)(tsconfig[^/]*|jsconfig[^/]*|\.eslintrc|\.babelrc|\.swcrc|devcontainer|settings|launch|tasks|extensions|api-extractor|turbo|wrangler|deno)\.json$|(^|\/)\.vscode\//

function invalidJson(file: FileUnderAnalysis): void {
  if (commentedJson.test(file.file.path) || file.text.trim() === '') return
  try {
    JSON.parse(file.text.replace(/^\uFEFF/, ''))
  } catch (error) {
    const says = error instanceof Error ? error.message : ''
    const position = Number(/position (\d+)/.exec(says)?.[1] ?? 0)
    // The engine's words may quote the text; only the place is passed on.
    file.report(
      'static/invalid-json',
      { start: Math.min(position, file.text.length) },
      'JSON.parse fails here.',
    )
  }
}
