import { basename, extname } from 'node:path/posix'
import type { Analyzer, AnalyzerContext } from './area-analyzer.ts'
import type { SnapshotFile } from './manifest.ts'
import { parsePackageManifest } from './package-manifests.ts'
import { performanceRules } from './performance-rules.ts'

const assetLimits: readonly (readonly [RegExp, number])[] = [
  [/\.(png|jpe?g|gif|webp|avif|bmp|svg|ico)$/i, 1_000_000],
  [/\.(woff2?|ttf|otf|eot)$/i, 500_000],
  [/\.(mp[34]|mov|webm|avi|wav|flac)$/i, 5_000_000],
]
const anyFileLimit = 10_000_000
const hugeFile = 50_000_000
const maxDirectDependencies = 80

const heavy: { readonly [name: string]: string } = {
  moment: 'moment carries every locale; date-fns, dayjs or Intl are a tenth of it.',
  lodash: 'lodash as a whole cannot be cut down; import lodash-es or single functions.',
  underscore: 'Most of underscore is part of the language today.',
  jquery: 'jQuery is rarely needed beside a framework.',
  'core-js': 'core-js belongs behind a build target; modern browsers need none of it.',
  rxjs: 'rxjs is large when only a few operators are used.',
  'aws-sdk': 'aws-sdk version 2 is one huge bundle; use the @aws-sdk clients.',
  'crypto-js': 'crypto-js repeats what Web Crypto does natively and faster.',
}

/** Weight of what is shipped: large files and heavy packages of browser code. */
export function bundleWeight(context: AnalyzerContext): Analyzer {
  let assetBytes = 0
  return {
    name: 'kyros-weight',
    version: '1',
    file(file) {
      if (basename(file.file.path) !== 'package.json' || !file.isProduct) return false
      const manifest = parsePackageManifest(file.file, file.text)
      if (manifest === undefined) return true
      const isBrowser = ['react', 'react-dom', 'vue', 'svelte', '@angular/core', 'preact', 'solid-js'].some(
        (name) => manifest.listed.has(name),
      )
      const start = Math.max(0, file.text.indexOf('"dependencies"'))
      for (const name of manifest.dependencies) {
        const why = heavy[name]
        const at = file.text.indexOf(`"${name}"`, start)
        if (why !== undefined && isBrowser)
          file.report('performance/heavy-dependency', { start: Math.max(0, at) }, why)
      }
      if (manifest.dependencies.length > maxDirectDependencies) {
        file.report(
          'performance/many-dependencies',
          { start },
          `${manifest.dependencies.length} direct dependencies.`,
        )
      }
      return true
    },
    finish() {
      for (const file of context.manifest.files) {
        if (file.role === 'vendored' || file.role === 'lock') continue
        if (file.content !== 'text') assetBytes += file.bytes
        reportAsset(context, file)
      }
    },
    metrics: () => ({ asset_bytes: assetBytes }),
  }
}

function reportAsset(context: AnalyzerContext, file: SnapshotFile): void {
  const limit =
    file.role === 'test'
      ? anyFileLimit
      : (assetLimits.find(([name]) => name.test(file.path))?.[1] ?? anyFileLimit)
  if (file.bytes <= limit) return
  const rule = performanceRules['performance/large-asset']
  const megabytes = Math.round(file.bytes / 100_000) / 10
  context.report({
    rule: 'performance/large-asset',
    severity: file.bytes > hugeFile ? 'medium' : rule.severity,
    title: rule.title,
    message: `${megabytes} MB; ${limit / 1_000_000} MB is a good limit for ${extname(file.path) || 'a file'}.`,
    hint: rule.hint,
    file: file.index,
    line: 1,
  })
}
