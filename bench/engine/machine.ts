import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'

export type Facts = { line: string; load: string }

/** What the figures were measured on; call the result at the end, so that the load of the whole time is in it. */
export function machineFacts(): (temporalVersion?: string) => Facts {
  const before = loadavg()
  return (temporalVersion = 'left out') => {
    const [cpu] = cpus()
    const memoryGb = (totalmem() / 2 ** 30).toFixed(0)
    const node = `Node ${process.versions.node}`
    const machine = `${cpus().length} cores (${cpu?.model ?? 'unknown'}), ${memoryGb} GB`
    const peers = ['@restatedev/restate-sdk', '@dbos-inc/dbos-sdk', 'openworkflow', '@temporalio/worker'].map(
      (name) => `${name} ${versionOf(name)}`,
    )
    return {
      line: [machine, node, `Restate ${restateVersion()}`, `Temporal ${temporalVersion}`, ...peers].join(
        '; ',
      ),
      load: `${shown(before)} before, ${shown(loadavg())} after`,
    }
  }
}

function shown(load: readonly number[]): string {
  return `${load[0]?.toFixed(2)} (5 min: ${load[1]?.toFixed(2)})`
}

function restateVersion(): string {
  return versionOf(`@restatedev/restate-server-${process.platform}-${process.arch}`)
}

function versionOf(name: string): string {
  const path = join(import.meta.dirname, '..', 'node_modules', ...name.split('/'), 'package.json')
  const manifest: { version: string } = JSON.parse(readFileSync(path, 'utf8'))
  return manifest.version
}
