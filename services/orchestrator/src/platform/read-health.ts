import type { Health } from '@kyros/contract/platform'
import { healthOf, type Life } from '@kyros/kernel/life'
import { isDown, isWell } from '@kyros/kernel/readiness'

/** The platform as the gateway's health page has it; `unhealthy` when this process cannot serve. */
export async function readHealth(life: Life, version: string): Promise<Health> {
  const all = await healthOf(life)
  const states = Object.values(all)
  const serves = life.phase === 'ready' && !states.some(isDown)
  const status = !serves ? 'unhealthy' : states.every(isWell) ? 'healthy' : 'degraded'
  const services: Health['services'] = {}
  for (const [name, health] of Object.entries(all)) {
    const { details, error } = health
    // Every service of this process answers at this very address.
    services[name] = { status: health.status, details, url: '/', ...(error !== undefined && { error }) }
  }
  const orchestrator = all.orchestrator?.status ?? 'unknown'
  return { status, orchestrator, overall: status, version, services }
}
