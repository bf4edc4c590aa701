import type { Health, Readiness } from '@kyros/contract/platform'
import { healthOf, type Life } from '@kyros/kernel/life'
import type { ServiceHealth } from '@kyros/kernel/service'

const isWell = ({ status }: ServiceHealth) => status === 'healthy'
const isRequired = ({ required }: ServiceHealth) => required !== false
const isDown = (health: ServiceHealth) => isRequired(health) && health.status === 'unhealthy'

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

/** Whether this process takes work; an optional service that is down is a warning and no more. */
export async function readReadiness(life: Life, isVerbose: boolean): Promise<Readiness> {
  const all = Object.entries(await healthOf(life))
  const ready = life.phase === 'ready' && !all.some(([, health]) => isDown(health))
  const status = ready ? 'ready' : life.phase === 'ready' ? 'not_ready' : life.phase
  if (!isVerbose) return { ready, status }
  const checks = all.map(([name, health]) => ({
    name,
    status: isRequired(health) || isWell(health) ? health.status : 'warning',
    ...(health.error !== undefined && { detail: health.error }),
  }))
  return { ready, status, checks }
}
