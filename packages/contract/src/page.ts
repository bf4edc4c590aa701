import { type TArray, type TSchema, Type } from 'typebox'

export const maxPageSize = 200
export const defaultPageSize = 50

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxPageSize, default: defaultPageSize })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
}

/** A list answer `{<name>: [...], next_cursor, total?}`; `next_cursor` is null on the last page. */
export function page<const N extends string, T extends TSchema>(name: N, item: T) {
  // A computed key widens to `string` and loses the list from the type of the answer; the cast names it.
  const list = { [name]: Type.Array(item) } as { [K in N]: TArray<T> }
  return Type.Object({
    ...list,
    next_cursor: Type.Union([Type.String(), Type.Null()]),
    total: Type.Optional(Type.Integer()),
  })
}
