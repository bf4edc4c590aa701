import { fileURLToPath } from 'node:url'

/** Path of a module beside the calling one, whether it runs from TypeScript source or from a packed build. */
export function siblingModule(callerUrl: string, name: string): string {
  const extension = callerUrl.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`./${name}.${extension}`, callerUrl))
}
