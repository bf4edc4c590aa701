import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { JsonObject } from '@kyros/contract/json'
import type { FastifyInstance } from 'fastify'

export type ServiceHealth = {
  status: 'healthy' | 'degraded' | 'unhealthy'
  details: JsonObject
  error?: string
  /** False: the platform is usable without it; readiness warns instead of failing. */
  required?: boolean
}

/**
 * One service of the platform: a function of its dependencies. The kernel owns listeners and life: several
 * services share one listener in one process, or each has its own.
 */
export type Service = {
  readonly name: string
  /** Routes on the shared Fastify app. */
  readonly plugin?: (app: FastifyInstance) => Promise<void> | void
  /** Asked before Fastify; true: the request is taken. */
  readonly onRequest?: (request: IncomingMessage, response: ServerResponse) => boolean
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean
  readonly onExpect?: (request: IncomingMessage, response: ServerResponse) => boolean
  readonly health: () => Promise<ServiceHealth> | ServiceHealth
  /** Resolves when `signal` aborted and all is stopped; a rejection ends the process. */
  readonly run?: (signal: AbortSignal) => Promise<void>
  /** Stops taking work and finishes what is in hand, within the kernel's grace. */
  readonly drain?: () => Promise<void>
}
