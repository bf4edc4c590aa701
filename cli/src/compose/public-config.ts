import type { JsonObject } from '@kyros/contract/json'
import type { Assigned } from '@kyros/kernel/config/assigned'
import { redacted } from '@kyros/kernel/config/redact'

/** The effective configuration as the API may show it: by path, secrets hidden. */
export function publicConfig(settings: readonly Assigned[]): JsonObject {
  const root: JsonObject = {}
  for (const { setting, value } of settings) {
    const shown = redacted(setting, value)
    if (shown === undefined) continue
    const names = setting.path.split('.')
    let node = root
    for (const name of names.slice(0, -1)) {
      const child = node[name]
      const next: JsonObject =
        typeof child === 'object' && child !== null && !Array.isArray(child) ? child : {}
      node[name] = next
      node = next
    }
    node[names.at(-1) ?? ''] = typeof shown === 'object' ? [...shown] : shown
  }
  return root
}
