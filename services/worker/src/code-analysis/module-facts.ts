import { isBuiltin } from 'node:module'
import type { ModuleFacts } from './finding.ts'
import type { SnapshotFile } from './manifest.ts'
import type { ModuleGraph } from './module-graph.ts'
import { packageNameOf } from './package-manifests.ts'

/** Which files can be type-checked without installing anything. */
export function moduleFacts(graph: ModuleGraph): ModuleFacts {
  const aliases: { [specifier: string]: string } = {}
  const needs = new Map<SnapshotFile, SnapshotFile[]>()
  const incomplete = new Set<SnapshotFile>()
  const known = new Set(graph.nodes.map(({ subject }) => subject.file))
  for (const { subject, imports } of graph.nodes) {
    const { file } = subject
    // JSX needs the types of its framework.
    if (!/\.[cm]?ts$/.test(file.path)) incomplete.add(file)
    for (const { specifier } of imports) {
      if (isBuiltin(specifier)) continue
      const [target] = graph.resolve(file, specifier)
      const isWorkspace = graph.packages.some(({ name }) => name === packageNameOf(specifier))
      if (target === undefined || !known.has(target) || (!specifier.startsWith('.') && !isWorkspace))
        incomplete.add(file)
      else {
        needs.set(file, [...(needs.get(file) ?? []), target])
        if (isWorkspace) aliases[specifier] = target.path
      }
    }
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const [file, targets] of needs) {
      if (incomplete.has(file) || !targets.some((target) => incomplete.has(target))) continue
      incomplete.add(file)
      changed = true
    }
  }
  return { complete: [...known].filter((file) => !incomplete.has(file)).map(({ index }) => index), aliases }
}
