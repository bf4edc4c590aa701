import { type TSchema, Type } from 'typebox'

export const maxPageSize = 200
export const defaultPageSize = 50

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxPageSize, default: defaultPageSize })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
}

/** A list answer `{<name>: [...], next_cursor, total?}`; `next_cursor` is null on the last page. */
export function page<T extends TSchema>(name: string, item: T) {
  return Type.Object({
    [name]: Type.Array(item),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
    total: Type.Optional(Type.Integer()),
  })
}
