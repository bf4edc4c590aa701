import type { JsonObject } from '@kyros/contract/json'
import type { RouteOptions } from '@kyros/kernel/route'
import type { ApiContext } from '../context.ts'

/** What the platform's own pages need besides the API's context. */
export type PlatformContext = ApiContext & {
  readonly version: string
  readonly environment: string
  /** Effective configuration with secrets already hidden. */
  readonly publicConfig: JsonObject
  /** Whether /docs and /openapi.json are served. */
  readonly docsEnabled: boolean
  /** Answers a browser with the console's page; false for all other callers. */
  readonly servePage: NonNullable<RouteOptions['before']>
}
