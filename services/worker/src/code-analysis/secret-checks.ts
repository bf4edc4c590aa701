import { basename } from 'node:path/posix'
import { lintSource } from '@secretlint/core'
import { secretLintProfiler } from '@secretlint/profiler'
import { creator } from '@secretlint/secretlint-rule-preset-recommend'
import type { Analyzer, AnalyzerContext } from './area-analyzer.ts'
import type { FileUnderAnalysis } from './file-under-analysis.ts'
import { analyzerVersions } from './tool-versions.ts'

const maxScannedBytes = 1_000_000
const preset = '@secretlint/secretlint-rule-preset-recommend'

/** secretlint with its recommended rules and nothing from the repository: not even its "ignore" comments count. */
export function secretlintChecks(): Analyzer {
  // It keeps several marks for each file for ever: 800 MB for 50,000 small files.
  secretLintProfiler.setEnabled(false)
  return {
    name: 'secretlint',
    version: analyzerVersions.secretlint,
    async file(file) {
      if (file.file.bytes > maxScannedBytes) return false
      const result = await lintSource({
        source: { filePath: `/${file.file.index}.txt`, content: file.text, ext: '.txt', contentType: 'text' },
        options: {
          config: { rules: [{ id: preset, rule: creator }] },
          locale: 'en',
          maskSecrets: true,
          noPhysicFilePath: true,
        },
      })
      for (const message of result.messages) {
        const [start, end] = message.range
        if (isPlaceholder(file.text.slice(start, end)) || isExampleOf(file, start)) continue
        const isKey = /privatekey/i.test(message.ruleId)
        // What the tool says contains the secret, or stars in its length; its kind is enough.
        const kind = message.ruleId.replace('@secretlint/secretlint-rule-', '')
        const isWeak = file.file.role === 'test' || file.file.role === 'vendored'
        file.report(
          isKey ? 'security/private-key' : 'security/secret',
          { start, end },
          `Found by the rule "${kind}" (${message.messageId}).`,
          {
            isSecret: true,
            ...(isWeak
              ? { severity: 'low' }
              : kind === 'basicauth' || kind === 'database-connection-string'
                ? { severity: 'high' }
                : {}),
          },
        )
      }
      return true
    },
  }
}

function isPlaceholder(text: string): boolean {
  return /example|placeholder|your[-_]|changeme|dummy|<[\w-]+>|\$\{|\{\{|%s|x{6,}|\*{4,}|user(name)?:pass(word)?@|:password@|:secret@|:pass@|:pw@|@localhost|@127\.0\.0\.1|@host\b/i.test(
    text,
  )
}

/** Documentation shows formats; what it shows is there to be read. */
function isExampleOf(file: FileUnderAnalysis, start: number): boolean {
  const line = file.source.line(file.source.lineAt(start))
  return file.file.language === 'Markdown' && /\b(example|e\.g\.|for instance)\b/i.test(line)
}

const assignment =
  /(?<![\w.-])([\w.-]{0,60}?(?:password|passwd|secret|api[_-]?key|auth[_-]?token|access[_-]?token|private[_-]?key|client[_-]?secret|encryption[_-]?key)[\w.-]{0,60})['"]?\s{0,4}(?::\s{0,4}\w{1,30}\s{0,4}=|:=|=>|[:=])\s{0,4}(['"])([^'"\s]{12,200})\2/gi
const sensitiveName =
  /^(\.env(\.(?!example|sample|template|dist|defaults?|test|ci|schema)[\w.-]+)?|id_(rsa|dsa|ecdsa|ed25519)|.*\.(p12|pfx|jks|keystore|kdbx|ppk)|\.htpasswd|\.netrc|\.pgpass|credentials\.json|service[-_]account.*\.json|.*\.tfstate|\.git-credentials)$/i

/** Literals with the name of a secret and the disorder of one, and files that should not be in a repository. */
export function secretNames(context: AnalyzerContext): Analyzer {
  return {
    name: 'kyros-secrets',
    version: '1',
    file(file) {
      if (file.file.role !== 'own' && file.file.role !== 'config') return false
      if (sensitiveName.test(basename(file.file.path)) && hasContent(file)) {
        file.report('security/sensitive-file', { start: 0 }, `${basename(file.file.path)} is committed.`)
      }
      if (file.file.language === 'Markdown' || file.file.bytes > maxScannedBytes) return true
      for (const match of file.text.matchAll(assignment)) {
        const [whole, , , value = ''] = match
        if (!looksRandom(value) || isPlaceholder(value)) continue
        const start = match.index + whole.lastIndexOf(value)
        // The quote is blanked when all of it stands in a comment or a longer text.
        if (file.masked.bare[start - 1] === ' ') continue
        const message = `"${match[1]}" is a literal of ${value.length} characters with high entropy.`
        file.report('security/hardcoded-secret', { start, end: start + value.length }, message, {
          isSecret: true,
        })
      }
      return true
    },
    finish() {
      for (const file of context.manifest.files) {
        if (file.content === 'binary' && file.role === 'own' && sensitiveName.test(basename(file.path))) {
          context.skip('files', 'they look like key stores and cannot be read', file.path)
        }
      }
    },
  }
}

function hasContent(file: FileUnderAnalysis): boolean {
  return (
    !/^\.env/i.test(basename(file.file.path)) ||
    /^[A-Z0-9_]*(KEY|SECRET|TOKEN|PASSWORD)[A-Z0-9_]*\s*=\s*\S{6,}/im.test(file.text)
  )
}

/** Bits per character; words and paths stay below, keys lie above. */
function looksRandom(value: string): boolean {
  if (/^[a-z]+([-_.:/ ][a-z]+)*$/i.test(value) || /^(https?|file|data):|^[./~$]|[<>{}()\s]/.test(value))
    return false
  if (!/\d/.test(value) || /^[a-z]+\d{1,4}$/i.test(value)) return false
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  let entropy = 0
  for (const count of counts.values()) entropy -= (count / value.length) * Math.log2(count / value.length)
  return entropy > 3.4
}
