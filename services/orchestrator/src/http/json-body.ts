import type { Json } from '@kyros/contract/json'

/** A body that may be any JSON; null when there was none. */
export function jsonBody(body: unknown): Json {
  // The app parsed it from JSON.
  return (body ?? null) as Json
}
