import { link, mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { AreaResult, RawFinding } from './finding.ts'
import { runGuarded } from './guarded-command.ts'
import type { SnapshotFile } from './manifest.ts'
import { oxlintConfiguration, oxlintSeverity } from './oxlint-rules.ts'
import { isWrittenHere, type ToolContext, toolSkipped } from './tool-context.ts'
import { analyzerVersions, packageDirectory } from './tool-versions.ts'

const maxOutputBytes = 96_000_000
const scripts = new Set(['JavaScript', 'TypeScript'])

type Diagnostic = {
  readonly message: string
  readonly code?: string
  readonly help?: string
  readonly url?: string
  readonly filename: string
  readonly labels?: readonly {
    readonly span: {
      readonly offset: number
      readonly length: number
      readonly line: number
      readonly column: number
    }
  }[]
}

/** Runs oxlint with our rules on numbered files: no configuration or ignore file of the repository has its name there. */
export async function runOxlint(context: ToolContext): Promise<AreaResult> {
  const files = context.manifest.files.filter(
    (file) => isWrittenHere(file) && scripts.has(file.language) && !file.path.endsWith('.d.ts'),
  )
  if (files.length === 0) return { findings: [], metrics: {}, ran: [], skipped: [] }
  const directory = packageDirectory('oxlint')
  if (directory === undefined) return toolSkipped('oxlint', 'it is not installed; run "npm ci"', files.length)
  const folder = join(context.scratch, 'lint')
  const byName = await linkFiles(context, files, folder)
  const configuration = join(context.scratch, 'oxlint.json')
  await writeFile(configuration, JSON.stringify(oxlintConfiguration))
  const result = await runGuarded({
    command: process.execPath,
    args: [
      join(directory, 'bin', 'oxlint'),
      '-c',
      configuration,
      '--disable-nested-config',
      '--no-ignore',
      '--format=json',
      '--no-error-on-unmatched-pattern',
      '.',
    ],
    cwd: folder,
    env: {},
    timeoutMs: context.limits.toolTimeoutMs,
    maxOutputBytes,
    signal: context.signal,
  })
  const diagnostics = result.ended === 'exited' ? parseDiagnostics(result.stdout) : undefined
  if (diagnostics === undefined) {
    const why =
      result.ended === 'timed_out'
        ? 'it took too long'
        : result.ended === 'output_too_large'
          ? 'it found too much to read'
          : 'it failed'
    return toolSkipped('oxlint', why, files.length)
  }
  return {
    findings: diagnostics
      .map((diagnostic) => toFinding(diagnostic, byName))
      .filter((finding) => finding !== undefined),
    metrics: {},
    ran: [{ tool: 'oxlint', version: analyzerVersions.oxlint, files: files.length }],
    skipped: [],
  }
}

async function linkFiles(
  context: ToolContext,
  files: readonly SnapshotFile[],
  folder: string,
): Promise<Map<string, SnapshotFile>> {
  const byName = new Map<string, SnapshotFile>()
  await mkdir(folder, { recursive: true })
  for (const file of files) {
    const name = basename(file.stored ?? '')
    byName.set(name, file)
    await link(join(context.checkoutDirectory, file.stored ?? ''), join(folder, name))
  }
  return byName
}

function parseDiagnostics(output: Buffer): Diagnostic[] | undefined {
  try {
    const parsed: unknown = JSON.parse(output.toString('utf8'))
    const found =
      typeof parsed === 'object' && parsed !== null && 'diagnostics' in parsed
        ? parsed.diagnostics
        : undefined
    // The output of a tool whose version is pinned.
    return Array.isArray(found) ? (found as Diagnostic[]) : undefined
  } catch {
    return undefined
  }
}

function toFinding(
  diagnostic: Diagnostic,
  byName: ReadonlyMap<string, SnapshotFile>,
): RawFinding | undefined {
  const file = byName.get(basename(diagnostic.filename))
  const span = diagnostic.labels?.[0]?.span
  const rule = /\(([\w/-]+)\)$/.exec(diagnostic.code ?? '')?.[1]
  // Without a code it is a syntax error, which the parser's own check reports.
  if (file === undefined || span === undefined || rule === undefined) return undefined
  const severity = oxlintSeverity(rule)
  if (severity === undefined) return undefined
  return {
    rule: `oxlint/${rule}`,
    severity,
    title: sentence(rule.replaceAll('-', ' ')),
    message: diagnostic.message.slice(0, 500),
    hint: (diagnostic.help ?? `See ${diagnostic.url ?? 'the documentation of oxlint'}.`).slice(0, 500),
    file: file.index,
    line: span.line,
    column: span.column,
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
