import { dirname, join, normalize } from 'node:path/posix'
import type { Manifest, SnapshotFile } from './manifest.ts'

const scriptEndings = [
  '.ts',
  '.tsx',
  '.d.ts',
  '.mts',
  '.cts',
  '.js',
  '.jsx',
  '.mjs',
  '.cjs',
  '.json',
  '.vue',
  '.svelte',
  '.astro',
]
const sourceOfOutput: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.js$/, ['.ts', '.tsx', '.d.ts']],
  [/\.jsx$/, ['.tsx']],
  [/\.mjs$/, ['.mts', '.d.mts']],
  [/\.cjs$/, ['.cts', '.d.cts']],
]

/** Finds files by path as module resolution would, among the files of the snapshot and nowhere else. */
export class RepositoryPaths {
  readonly #byPath: ReadonlyMap<string, SnapshotFile>
  readonly #folders = new Set<string>()

  constructor(manifest: Manifest) {
    this.#byPath = new Map(manifest.files.map((file) => [file.path, file]))
    for (const file of manifest.files) {
      let folder = dirname(file.path)
      while (!this.#folders.has(folder)) {
        this.#folders.add(folder)
        folder = dirname(folder)
      }
    }
  }

  get(path: string): SnapshotFile | undefined {
    return this.#byPath.get(path)
  }

  hasFolder(path: string): boolean {
    return this.#folders.has(normalize(path).replace(/\/$/, ''))
  }

  /** A file for a path without regard to its ending, or the index file of a folder. */
  resolve(path: string): SnapshotFile | undefined {
    const target = normalize(path.replace(/[?#].*$/, '')).replace(/\/$/, '')
    if (target.startsWith('..')) return undefined
    const exact = this.#byPath.get(target)
    if (exact !== undefined) return exact
    for (const ending of scriptEndings) {
      const found = this.#byPath.get(target + ending)
      if (found !== undefined) return found
    }
    for (const [output, endings] of sourceOfOutput) {
      if (!output.test(target)) continue
      for (const ending of endings) {
        const found = this.#byPath.get(target.replace(output, ending))
        if (found !== undefined) return found
      }
    }
    for (const ending of scriptEndings) {
      const found = this.#byPath.get(join(target, `index${ending}`))
      if (found !== undefined) return found
    }
    return undefined
  }

  resolveFrom(file: SnapshotFile, specifier: string): SnapshotFile | undefined {
    return this.resolve(join(dirname(file.path), specifier))
  }
}
