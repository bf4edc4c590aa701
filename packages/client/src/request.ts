import type { OperationId } from '@kyros/contract/api'
import type { Answer, Body, Params, Query } from '@kyros/contract/operation'
import { operations } from './operations.ts'

type Field<Name extends string, Value> = [Value] extends [undefined]
  ? { [N in Name]?: undefined }
  : Record<string, never> extends Value
    ? { [N in Name]?: Value }
    : { [N in Name]: Value }

export type CallOptions = {
  signal?: AbortSignal
  /** How long one try may take until its answer is complete. */
  timeoutMs?: number
  /** For operations that create; made up when left out, the same for every try of this call. */
  idempotencyKey?: string
  headers?: Record<string, string>
}

/** What `call` takes for an operation: its path, query and body as the contract declares them. */
export type Arguments<K extends OperationId> = Field<'params', Params<K>> &
  Field<'query', Partial<Query<K>>> &
  Field<'body', Body<K>> &
  CallOptions

/** Lets an operation that needs nothing be called with its name alone. */
export type Rest<K extends OperationId> =
  Record<string, never> extends Arguments<K> ? [args?: Arguments<K>] : [args: Arguments<K>]

/** What answers with JSON; the schema of `streamRun` is that of each entry of its stream. */
export type JsonOperation = Exclude<
  { [K in OperationId]: Answer<K> extends undefined ? never : K }[OperationId],
  'streamRun'
>

type Values = Readonly<Record<string, unknown>>

/** The address of an operation below `baseUrl`; every value is escaped, undefined ones are left out, lists are repeated. */
export function operationUrl(
  baseUrl: string,
  id: OperationId,
  { params, query }: { params?: unknown; query?: unknown },
): string {
  const values = asValues(params)
  const path = operations[id].path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(values[name])),
  )
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(asValues(query))) {
    if (value === undefined || value === null) continue
    for (const one of [value].flat()) search.append(name, String(one))
  }
  const text = search.toString()
  return `${baseUrl}${path}${text === '' ? '' : `?${text}`}`
}

function asValues(value: unknown): Values {
  // Params and queries of the contract are objects; nothing else reaches this.
  return typeof value === 'object' && value !== null ? (value as Values) : {}
}
