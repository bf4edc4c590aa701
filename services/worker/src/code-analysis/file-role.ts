import { basename } from 'node:path/posix'

const vendoredPath =
  /(^|\/)(vendor|vendored|_vendor|third[_-]?party|bower_components|jspm_packages|Godeps|Pods|Carthage|\.yarn|site-packages|dist|build\/lib|out-tsc)\//
const vendoredName = /([.-]min\.(js|css|mjs)|\.bundle\.js|\.js\.map|\.css\.map|^jquery[.-][\d.]+.*\.js)$/
const testPath =
  /(^|\/)(tests?|__tests__|__mocks__|specs?|testdata|test-data|fixtures?|e2e|testing|mocks?|examples?|samples?|docs_src)\/|[._-](test|spec|e2e|stories|bench)\.[a-z]+$|_test\.(go|py|rb|exs)$|(^|\/)(test_[^/]*|conftest)\.py$|Tests?\.(java|kt|cs)$/i
const configName =
  /(^\.|\.config\.|\.conf\.|rc\.[cm]?js$|^(webpack|rollup|vite|vitest|jest|babel|karma|gulpfile|gruntfile|tailwind|postcss|eslint|prettier)\b)/i
const lockName =
  /^(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|composer\.lock|Gemfile\.lock|Cargo\.lock|poetry\.lock|uv\.lock|Pipfile\.lock|go\.sum|flake\.lock|mix\.lock|pubspec\.lock|packages\.lock\.json|gradle\.lockfile)$/

export type FileRole = 'own' | 'test' | 'config' | 'vendored' | 'generated' | 'lock'

/** What a file is for. Vendored, generated and lock files are not judged as if somebody wrote them here. */
export function roleOf(path: string, head: Buffer): FileRole {
  const name = basename(path)
  if (lockName.test(name)) return 'lock'
  if (vendoredPath.test(path) || vendoredName.test(name)) return 'vendored'
  if (isGenerated(head)) return 'generated'
  if (testPath.test(path)) return 'test'
  return configName.test(name) ? 'config' : 'own'
}

function isGenerated(head: Buffer): boolean {
  const text = head.toString('latin1', 0, 2_000)
  if (
    /^\s*(?:\/\/|#|\/?\*|--|<!--|;)[^\n]*(?:@generated\b|Code generated .* DO NOT EDIT|automatically generated (?:by|from)|auto-?generated (?:by|from|file)|DO NOT EDIT)/im.test(
      text,
    )
  ) {
    return true
  }
  // A first line of thousands of characters was not typed.
  const firstBreak = head.indexOf(10)
  return head.length > 5_000 && (firstBreak === -1 || firstBreak > 5_000)
}
