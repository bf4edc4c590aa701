import type { Analyzer, AreaDefinition } from './area-analyzer.ts'
import { lockfileChecks } from './lockfile-checks.ts'
import { pipelineChecks } from './pipeline-checks.ts'
import { scriptDangers } from './script-dangers.ts'
import { secretlintChecks, secretNames } from './secret-checks.ts'
import { securityRules } from './security-rules.ts'
import { dangerPatterns } from './text-danger-patterns.ts'
import { applyPatterns } from './text-patterns.ts'

export const securityArea: AreaDefinition = {
  rules: securityRules,
  analyzers: (context) => [
    secretlintChecks(),
    secretNames(context),
    scriptDangers(),
    patternDangers(),
    pipelineChecks(),
    lockfileChecks(context),
    fileModes(),
  ],
}

const patternLanguages = new Set(dangerPatterns.flatMap(({ languages }) => languages))

function patternDangers(): Analyzer {
  return {
    name: 'kyros-text-security',
    version: '1',
    file(file) {
      if (!file.isProduct || !patternLanguages.has(file.file.language)) return false
      applyPatterns(file, dangerPatterns)
      return true
    },
  }
}

const dataName = /\.(md|json|ya?ml|txt|css|html?|svg|xml|csv|toml|ini|lock|ts|tsx|jsx|java|go|c|h|cpp|rs)$/i

/** Git keeps one permission: whether a file may be executed. */
function fileModes(): Analyzer {
  return {
    name: 'kyros-file-modes',
    version: '1',
    file(file) {
      const { path, is_executable } = file.file
      if (is_executable && file.isProduct && dataName.test(path) && !file.text.startsWith('#!')) {
        file.report('security/odd-executable', { start: 0 }, `${path} has mode 100755.`)
      }
      return true
    },
  }
}
