// Documents must not lie about the tree: links and paths they name exist.
import { dirname, join, normalize } from 'node:path/posix'
import type { Repository, SourceFile } from './repository.ts'

const link = /\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)/g
const ownPath = /`((?:packages|services|console|cli|tools|test|docs|bench)\/[\w./-]*(?:\.\w+|\/))`/g

function isThere(repository: Repository, path: string): boolean {
  const wanted = path.replace(/\/$/, '')
  return repository.files.some((file) => file.path === wanted || file.path.startsWith(`${wanted}/`))
}

/** What a document names: targets of its links, and paths in backticks that are complete. */
function namedPaths(file: SourceFile): string[] {
  const links = [...file.text.matchAll(link)].map((match) =>
    normalize(join(dirname(file.path), match[1] ?? '')),
  )
  const paths = [...file.text.matchAll(ownPath)].map((match) => match[1] ?? '')
  return [...links.filter((path) => !/\.(png|jpe?g|svg|gif)$/.test(path)), ...paths]
}

/** Each link and each path that a document names leads somewhere. Pages made from the contract are not looked at. */
export function checkDocuments(repository: Repository): string[] {
  return repository.files
    .filter((file) => file.path.endsWith('.md') && !file.path.startsWith('docs/api/'))
    .filter((file) => !file.path.includes('/fixtures/') && !file.path.includes('/stand-ins/'))
    .flatMap((file) =>
      namedPaths(file)
        .filter((path) => !isThere(repository, path))
        .map((path) => `${file.path} names ${path}, which is not there`),
    )
}
