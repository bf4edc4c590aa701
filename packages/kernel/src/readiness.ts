import type { Readiness } from '@kyros/contract/platform'
import { healthOf, type Life } from './life.ts'
import type { ServiceHealth } from './service.ts'

export const isWell = ({ status }: ServiceHealth): boolean => status === 'healthy'
const isRequired = ({ required }: ServiceHealth) => required !== false
export const isDown = (health: ServiceHealth): boolean => isRequired(health) && health.status === 'unhealthy'

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
