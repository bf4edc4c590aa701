import type { Analyzer } from './area-analyzer.ts'
import { analyzerVersions } from './tool-versions.ts'

// What follows the first error is mostly its echo.
const maxPerFile = 1

/** Syntax errors of JavaScript and TypeScript files. */
export function parseErrors(skip: (what: string, why: string, example?: string) => void): Analyzer {
  let broken = 0
  return {
    name: 'oxc-parser',
    version: analyzerVersions.oxcParser,
    file(file) {
      if (!file.isScript && file.file.is_code && file.isProduct) {
        skip(`syntax check of ${file.file.language} files`, 'there is no parser for the language here')
      }
      if (!file.isScript || !file.isProduct) return false
      const { errors } = file.parsed
      if (errors.length > 0 && isFlow(file.text)) return false
      if (errors.length > 0) broken++
      for (const error of errors.slice(0, maxPerFile)) {
        file.report(
          'static/parse-error',
          { start: error.start },
          error.help ? `${error.message}. ${error.help}` : error.message,
        )
      }
      return true
    },
    metrics: () => ({ files_with_parse_errors: broken }),
  }
}

function isFlow(text: string): boolean {
  return /@flow\b/.test(text.slice(0, 2_000))
}
