import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'

const settleMs = 150
const source = /\.(ts|js|json|sql)$/
const test = /\.(test|e2e)\.ts$/

/** Calls back when a source file of the server has changed and nothing more has for a moment. */
export function watchSources(root: string, onChange: (file: string) => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined
  const watchers: FSWatcher[] = []
  for (const directory of sourceDirectories(root)) {
    const watcher = watch(directory, { recursive: true }, (_kind, name) => {
      if (name === null || !source.test(name) || test.test(name)) return
      clearTimeout(timer)
      timer = setTimeout(() => onChange(name), settleMs)
    })
    // A directory that goes away while it is watched is no reason to stop.
    watcher.on('error', () => undefined)
    watchers.push(watcher)
  }
  return {
    close: () => {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}

function sourceDirectories(root: string): string[] {
  const workspaces = ['packages', 'services'].flatMap((parent) => {
    return readdirSync(join(root, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(root, parent, entry.name, 'src'))
  })
  return [...workspaces, join(root, 'cli', 'src')]
}
