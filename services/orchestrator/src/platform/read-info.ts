import type { JsonObject } from '@kyros/contract/json'
import type { Life } from '@kyros/kernel/life'
import type { PlatformContext } from './context.ts'

/** What `GET /` says to programs. */
export function describeServer({ version, docsEnabled }: PlatformContext, life: Life) {
  return {
    name: 'Kyros',
    version,
    services: life.services.map(({ name }) => name),
    docs: docsEnabled ? '/docs' : null,
    openapi: docsEnabled ? '/openapi.json' : null,
  }
}

/** The parts of the configuration that concern a client; the documents name these five keys. */
export function visibleConfig(config: JsonObject): JsonObject {
  const { services = {}, agents = {}, log = {}, models = {}, feature_flags = {} } = config
  return { services, agents, log, models, feature_flags }
}

export function readInfo({ version, environment }: PlatformContext, origins: ReadonlySet<string>) {
  return {
    service: 'orchestrator',
    version,
    project_name: 'Kyros',
    environment,
    api_v1_str: '/api/v1',
    cors_origins: [...origins],
    features: { emails_enabled: false, local_password_auth: true, seed_data: false },
  }
}

const pingMs = 2000

export async function readCheck({ store, version, environment }: PlatformContext) {
  const database = await store.ping(pingMs).then(
    () => 'healthy',
    () => 'unhealthy',
  )
  const redis = 'not_configured'
  return { status: database, service: 'orchestrator', version, environment, database, redis }
}
