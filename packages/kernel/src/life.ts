import type { Service, ServiceHealth } from './service.ts'

export type Phase = 'starting' | 'ready' | 'draining' | 'stopped'

/** Where the process is in its life; probes read it, `serve` moves it. */
export type Life = {
  phase: Phase
  services: readonly Service[]
}

export function createLife(): Life {
  return { phase: 'starting', services: [] }
}

/** Asks every service how it is; one that does not answer within `timeoutMs` is unhealthy. */
export async function healthOf(life: Life, timeoutMs = 2000): Promise<Record<string, ServiceHealth>> {
  const answers = await Promise.all(
    life.services.map(async (service) => [service.name, await askOne(service, timeoutMs)] as const),
  )
  return Object.fromEntries(answers)
}

async function askOne(service: Service, timeoutMs: number): Promise<ServiceHealth> {
  const { promise: late, resolve } = Promise.withResolvers<ServiceHealth>()
  const timer = setTimeout(
    () => resolve({ status: 'unhealthy', details: {}, error: `No answer within ${timeoutMs} ms` }),
    timeoutMs,
  )
  try {
    return await Promise.race([Promise.resolve(service.health()), late])
  } catch (error) {
    return { status: 'unhealthy', details: {}, error: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}
