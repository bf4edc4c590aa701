import { basename, isAbsolute, relative } from 'node:path'

export type Call = {
  /** The script that was started, absolute. */
  script: string
  directory: string
  isFromNpm: boolean
}

/** How this command line was called: somebody without `kyros` on the path must be able to copy what we print. */
export function callNameOf({ script, directory, isFromNpm }: Call): string {
  if (basename(script) === 'kyros') return 'kyros'
  if (isFromNpm) return 'npm run -s kyros --'
  const near = relative(directory, script)
  return `node ${near.startsWith('..') || isAbsolute(near) ? script : near}`
}

/** A line of ours whose commands can be copied where `kyros` is called by another name. */
export function withCallName(line: string, callName: string): string {
  return line.replaceAll('`kyros ', `\`${callName} `)
}
