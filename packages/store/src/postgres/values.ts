import type { Param, SqlValue } from '../statement.ts'

/** PostgreSQL keeps no NUL in text; a message with one in it is still worth keeping. */
function withoutNul<T>(value: T): T | string {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
}

export function asValues(params: readonly Param[]): (SqlValue | SqlValue[])[] {
  return params.map((param) => (isList(param) ? param.map((value) => withoutNul(value)) : withoutNul(param)))
}

function isList(param: Param): param is readonly SqlValue[] {
  return Array.isArray(param)
}

export function asQueryValues(parameters: readonly unknown[]): unknown[] {
  return parameters.map((value) => withoutNul(value))
}
